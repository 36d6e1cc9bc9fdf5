// Counter-based random bits: element i of stream `seed` is a hash of both, so that a mask can be made again in the
// backward pass instead of being stored. Finaliser of MurmurHash3 (A. Appleby), applied twice.

fn mixBits(value: u32) -> u32 {
  var h = value;
  h = (h ^ (h >> 16u)) * 0x85ebca6bu;
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}

fn randomBits(i: u32, seed: u32) -> u32 {
  let key = seed * 0x9e3779b9u;
  return mixBits(mixBits(i + key) + mixBits(key ^ 0x9e3779b9u));
}
