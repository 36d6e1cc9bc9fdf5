import { render } from 'preact';
import { App } from './components/App.tsx';
import { start } from './session.ts';
import './style.css';

const root = document.getElementById('app');
if (root) render(<App />, root);
void start();
