/** `npm run example -- heat-map`: serves the page of an example until Ctrl-C. */
import { pageExamples, serveExample } from './exampleServer.node.ts';

const [name = '', port = '0'] = process.argv.slice(2);
const known = pageExamples();
if (!known.includes(name)) {
  const given = name ? `There is no page "${name}" in examples/. ` : '';
  console.error(`${given}Usage: npm run example -- NAME [PORT], where NAME is ${known.join(', ')}.`);
  process.exit(1);
}
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error(`PORT is "${port}"; expected a number up to 65535, or nothing for one that is free.`);
  process.exit(1);
}
try {
  const { address } = await serveExample(name, Number(port));
  console.log(`${name}: ${address} (in a browser with WebGPU; Ctrl-C ends)`);
} catch (error) {
  console.error(`Port ${port} cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
