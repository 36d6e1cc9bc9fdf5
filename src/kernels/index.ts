// Every kernel of the engine, one line each: importing this module registers them all (tests, bench, warm-up).
import './binary.ts';
import './conv2d.ts';
import './copy.ts';
import './fill.ts';
import './matmul.ts';
import './reduceRows.ts';
import './unary.ts';
