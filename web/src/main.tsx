import { render } from 'preact';
import { z } from 'zod';
import { App } from './components/App.tsx';
import { start } from './session.ts';
import './style.css';

// Schemas are not compiled to functions: the page's Content-Security-Policy forbids code made from text.
z.config({ jitless: true });

const root = document.getElementById('app');
if (root) render(<App />, root);
void start();
