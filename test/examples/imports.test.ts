import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const folder = resolve(import.meta.dirname, '../../examples');

it('examples use the package by its public names alone', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const imports = files.flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/from '([^']+)'/g)].map(([, from = '']) => ({ file, from })),
  );
  expect(imports.filter(({ from }) => from.startsWith('groundray')).length).toBeGreaterThan(5);
  expect(imports.filter(({ from }) => !/^(groundray(\/\w+)?|node:\w+|\.\/[\w.]+\.ts)$/.test(from))).toEqual([]);
});
