// Every kernel of the engine, one line each: importing this module registers them all (tests, bench, warm-up).
import './adam.ts';
import './addRows.ts';
import './argmax.ts';
import './assign.ts';
import './binary.ts';
import './conv2d.ts';
import './copy.ts';
import './fill.ts';
import './gradNorm.ts';
import './indexing.ts';
import './matmul.ts';
import './reduceGrad.ts';
import './reduceRows.ts';
import './sgd.ts';
import './softmax.ts';
import './unary.ts';
import './where.ts';
