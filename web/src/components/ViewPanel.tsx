import type { Signal } from '@preact/signals';
import { RESCALE_PRESETS, type RescalePreset } from '../../../src/eval/maps.ts';
import { COLOR_SCALES, type ColorScale } from '../../../src/eval/overlay.ts';
import type { DicomImage } from '../../../src/io/dicom/decode.ts';
import { colors, dicomWindow, opacity, opened, preset, showKnown, threshold } from '../state.ts';
import { knownFindings } from '../truth.ts';
import { windowRange } from '../window.ts';

interface SliderProps {
  readonly id: string;
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly shown: string;
  readonly onValue: (value: number) => void;
}

function Slider({ id, label, value, min, max, step, shown, onValue }: SliderProps) {
  return (
    <div class="field">
      <label for={id}>
        {label}: <output>{shown}</output>
      </label>
      <input
        id={id}
        type="range"
        {...{ min, max, step, value }}
        aria-valuetext={shown}
        onInput={(event) => onValue(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}

const presetNames: Readonly<Record<RescalePreset, string>> = {
  'paper-minmax': 'stretched to its own range: where, not whether',
  'paper-cosine': 'cosine as it is',
};

interface ChoiceProps<T extends string> {
  readonly id: string;
  readonly label: string;
  readonly options: readonly T[];
  readonly names?: Readonly<Record<T, string>>;
  readonly value: Signal<T>;
}

function Choice<T extends string>({ id, label, options, names, value }: ChoiceProps<T>) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value.value}
        onChange={(event) => {
          const chosen = options.find((option) => option === event.currentTarget.value);
          if (chosen) value.value = chosen;
        }}
      >
        {options.map((option) => (
          <option key={option} value={option}>
            {names?.[option] ?? option}
          </option>
        ))}
      </select>
    </div>
  );
}

/** How maps are drawn; the same for all phrases. */
export function ViewPanel() {
  const image = opened.value;
  return (
    <section class="panel" aria-labelledby="view-heading">
      <h2 id="view-heading">View</h2>
      <Slider
        {...{ id: 'opacity', label: 'Opacity of the heat map', min: 0, max: 1, step: 0.05 }}
        value={opacity.value}
        shown={`${Math.round(100 * opacity.value)} %`}
        onValue={(value) => {
          opacity.value = value;
        }}
      />
      <Slider
        {...{ id: 'threshold', label: 'Threshold of the contour', min: -0.95, max: 0.95, step: 0.05 }}
        value={threshold.value}
        shown={threshold.value.toFixed(2)}
        onValue={(value) => {
          threshold.value = value;
        }}
      />
      <Choice<RescalePreset>
        {...{ id: 'preset', label: 'Scale of the map', options: RESCALE_PRESETS, names: presetNames, value: preset }}
      />
      <Choice<ColorScale> {...{ id: 'colors', label: 'Colours', options: COLOR_SCALES, value: colors }} />
      {knownFindings.value.length > 0 && (
        <div class="field inline">
          <input
            id="known"
            type="checkbox"
            checked={showKnown.value}
            onChange={(event) => {
              showKnown.value = event.currentTarget.checked;
            }}
          />
          <label for="known">Outline the ground truth, and measure the maps with it</label>
        </div>
      )}
      {image?.dicom && <WindowSliders dicom={image.dicom} />}
    </section>
  );
}

/** Window and level of a DICOM image that has a linear scale of values. */
function WindowSliders({ dicom }: { readonly dicom: DicomImage }) {
  const range = windowRange(dicom);
  if (!range) return null;
  const { low, high, center, width } = range;
  const step = (high - low) / 500;
  return (
    <fieldset>
      <legend>
        Window of the DICOM image (what is shown; the model keeps the window of the file). Dragging over a picture does
        the same.
      </legend>
      <Slider
        {...{ id: 'window-center', label: 'Level', min: low, max: high, step, value: center }}
        shown={center.toFixed(0)}
        onValue={(value) => {
          dicomWindow.value = { center: value, width };
        }}
      />
      <Slider
        {...{ id: 'window-width', label: 'Width', min: 2, max: 2 * (high - low), step, value: width }}
        shown={width.toFixed(0)}
        onValue={(value) => {
          dicomWindow.value = { center, width: value };
        }}
      />
      {dicomWindow.value && (
        <button
          type="button"
          onClick={() => {
            dicomWindow.value = undefined;
          }}
        >
          Window of the file
        </button>
      )}
    </fieldset>
  );
}
