// Draws images/icon.png: a gauge at about two thirds, on a dark rounded square. Four times four samples a pixel.
import { writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';

const SIZE = 128;
const SAMPLES = 4;
const GROUND = [20, 32, 46];
const TRACK = [62, 80, 99];
const FILL = [74, 201, 155];
const NEEDLE = [240, 244, 248];

/** The colour at a point (0 to 1 in both directions), or undefined where nothing is drawn. */
function colourAt(x, y) {
  if (!insideRounded(x, y, 0.22)) return undefined;
  const [dx, dy] = [x - 0.5, y - 0.6];
  const distance = Math.hypot(dx, dy);
  const part = partOfArc(dx, dy);
  if (distance > 0.27 && distance < 0.385 && part >= 0 && part <= 1) return part <= 0.64 ? FILL : TRACK;
  if (distance < 0.065 || onNeedle(dx, dy)) return NEEDLE;
  return GROUND;
}

function insideRounded(x, y, radius) {
  const nearest = (v) => Math.min(Math.max(v, radius), 1 - radius);
  return Math.hypot(x - nearest(x), y - nearest(y)) <= radius;
}

/** 0 at the left end of the arc, 1 at its right end. */
function partOfArc(dx, dy) {
  const turn = (Math.atan2(-dx, dy) + 2 * Math.PI) % (2 * Math.PI);
  const gap = Math.PI / 3.2;
  return (turn - gap) / (2 * Math.PI - 2 * gap);
}

function onNeedle(dx, dy) {
  const gap = Math.PI / 3.2;
  const turn = gap + 0.64 * (2 * Math.PI - 2 * gap);
  const [ux, uy] = [-Math.sin(turn), Math.cos(turn)];
  const along = dx * ux + dy * uy;
  const across = Math.abs(dx * uy - dy * ux);
  return along > 0 && along < 0.235 && across < 0.032 * (1 - along / 0.33);
}

function pixel(column, row) {
  const sum = [0, 0, 0, 0];
  for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
    const x = (column + ((sample % SAMPLES) + 0.5) / SAMPLES) / SIZE;
    const y = (row + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES) / SIZE;
    const colour = colourAt(x, y);
    if (colour !== undefined)
      [...colour, 255].forEach((value, index) => (sum[index] += index < 3 ? value : 1));
  }
  const covered = sum[3];
  return covered === 0
    ? [0, 0, 0, 0]
    : [
        ...sum.slice(0, 3).map((value) => Math.round(value / covered)),
        Math.round((255 * covered) / SAMPLES ** 2),
      ];
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc(body), body.length + 4);
  return framed;
}

function crc(data) {
  let value = ~0;
  for (const byte of data) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}

const rows = Array.from({ length: SIZE }, (_, row) => [
  0,
  ...Array.from({ length: SIZE }, (_, column) => pixel(column, row)).flat(),
]);
const header = Buffer.alloc(13);
header.writeUInt32BE(SIZE, 0);
header.writeUInt32BE(SIZE, 4);
header.set([8, 6, 0, 0, 0], 8);
const png = Buffer.concat([
  Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
  chunk('IHDR', header),
  chunk('IDAT', deflateSync(Buffer.from(rows.flat()), { level: 9 })),
  chunk('IEND', Buffer.alloc(0)),
]);
writeFileSync(new URL('../images/icon.png', import.meta.url), png);
