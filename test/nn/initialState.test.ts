import { describe, expect, it } from 'vitest';
import { GroundingModel } from '../../src/models/grounding.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { initialState } from '../../src/nn/initialState.ts';
import { useGpu } from '../support/gpu.ts';
import { tinyConfig } from '../support/tinyRun.ts';

const gpu = useGpu();

describe('initialState', () => {
  it('has the values that an arena with this seed begins with, convolutions and buffers included', async () => {
    const { model: sizes } = tinyConfig();
    using arena = new ParameterArena(gpu(), new GroundingModel(sizes), { seed: 7 });
    const state = initialState(new GroundingModel(sizes), 7);
    const expected = await arena.state();
    expect([...state.names()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, { shape, data }] of expected) {
      expect(state.info(name).shape, name).toEqual(shape);
      expect(state.tensor(name), name).toEqual({ shape, data });
    }
    const other = initialState(new GroundingModel(sizes), 8).tensor('visual.conv1.weight');
    expect(other.data).not.toEqual(expected.get('visual.conv1.weight')?.data);
    expect(() => state.tensor('fc.weight')).toThrow('The module has no parameter or buffer called fc.weight.');
  });
});
