// Where an Element of a dense array [batch, height, width, channels] lies.

struct Pixel {
  image: i32,
  y: i32,
  x: i32,
  column: i32,
}

fn pixelAt(i: u32, height: i32, width: i32, columns: i32) -> Pixel {
  let pixel = i32(i) / columns;
  return Pixel(pixel / (width * height), (pixel / width) % height, pixel % width, i32(i) % columns);
}

fn elementAt(image: i32, y: i32, x: i32, column: i32, height: i32, width: i32, columns: i32) -> u32 {
  return u32(((image * height + y) * width + x) * columns + column);
}
