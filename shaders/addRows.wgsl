// dx[o, v, i] = sum of dy[o, j, i] over the j with index[j] = v: the gradient of indexSelect and embedding.
//
// The positions come sorted by index (sortIndices.wgsl), so equal ones form runs. An invocation walks CHUNK sorted
// positions of one column and writes the runs that lie inside its chunk to dx, which is zero before. Runs that cross a
// chunk's border leave partial sums, which the second entry (JOIN) adds in order: deterministic without atomics, and a
// row that occurs thousands of times costs no more than many rare ones.
// bindings: 0 dy (read), 1 keys (read), 2 order (read), 3 borders (write) [head or tail, chunk, column], 4 dx (write)
// params: columns (outer * inner), selected, length, inner, chunks, skip (a row without gradient); sizes in Elements

@group(0) @binding(0) var<storage, read> dy: array<Element>;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> borders: array<Element>;
@group(0) @binding(4) var<storage, read_write> dx: array<Element>;

fn headPlace(chunk: u32, column: u32) -> u32 {
  return chunk * params.columns + column;
}

fn tailPlace(chunk: u32, column: u32) -> u32 {
  return (params.chunks + chunk) * params.columns + column;
}

// Whether the sorted positions `i - 1` and `i` belong to one run.
fn continues(i: u32) -> bool {
  return i > 0u && i < params.selected && keys[i - 1u] == keys[min(i, params.selected - 1u)];
}

fn writeRow(key: u32, column: u32, value: Element) {
  let outer = column / params.inner;
  if (key != params.skip) {
    dx[(outer * params.length + key) * params.inner + column - outer * params.inner] = value;
  }
}

fn addChunk(chunk: u32, column: u32) {
  let outer = column / params.inner;
  let base = outer * params.selected * params.inner + column - outer * params.inner;
  let start = chunk * CHUNK;
  let end = min(params.selected, start + CHUNK);
  var isHead = continues(start);
  var key = keys[start];
  var total = Element(0.0);
  for (var i = start; i < end; i++) {
    if (keys[i] != key) {
      if (isHead) {
        borders[headPlace(chunk, column)] = total;
      } else {
        writeRow(key, column, total);
      }
      isHead = false;
      key = keys[i];
      total = Element(0.0);
    }
    total += dy[base + order[i] * params.inner];
  }
  if (isHead) {
    borders[headPlace(chunk, column)] = total;
  } else if (continues(end)) {
    borders[tailPlace(chunk, column)] = total;
  } else {
    writeRow(key, column, total);
  }
}

// Completes the run that starts in this chunk and goes on into the next ones.
fn joinChunks(chunk: u32, column: u32) {
  let start = chunk * CHUNK;
  let end = start + CHUNK;
  if (!continues(end)) {
    return;
  }
  let key = keys[end];
  if (keys[start] == key && continues(start)) {
    return;
  }
  var total = borders[tailPlace(chunk, column)];
  for (var next = chunk + 1u; next < params.chunks; next++) {
    if (keys[next * CHUNK] != key) {
      break;
    }
    total += borders[headPlace(next, column)];
  }
  writeRow(key, column, total);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  let chunk = i / params.columns;
  if (chunk >= params.chunks) {
    return;
  }
  if (JOIN) {
    joinChunks(chunk, i - chunk * params.columns);
  } else {
    addChunk(chunk, i - chunk * params.columns);
  }
}
