"use strict";
// The drawing pad: strokes become 28 x 28 pixels in MNIST's manner, and the network reads them.

const SIDE = 28; // pixels of an image
const BOX = 20; // MNIST fits digits into a box of this side ...
const CENTRE = 14; // ... and puts the centre of mass at this row and column
const PEN = 2.2; // width of a stroke in pixels, about that of MNIST's digits
const SMALLEST = 1 / 8; // of the pad's side: no digit is smaller

const DATA = JSON.parse(document.getElementById("data").textContent);
const NETWORK = new Network(DATA.dtype, DATA.layers);

/** Distance from (x, y) to the line between the points p and q. */
function distance(x, y, p, q) {
  const [dx, dy] = [q[0] - p[0], q[1] - p[1]];
  const length2 = dx * dx + dy * dy;
  const along = length2 ? Math.min(1, Math.max(0, ((x - p[0]) * dx + (y - p[1]) * dy) / length2)) : 0;
  return Math.hypot(x - p[0] - along * dx, y - p[1] - along * dy);
}

/** Strokes (lists of points, in pixels of the image) as grey values from 0 to 255. */
function rasterize(strokes) {
  const pixels = new Array(SIDE * SIDE).fill(0);
  for (const stroke of strokes) {
    stroke.forEach((p, i) => {
      const q = stroke[Math.min(i + 1, stroke.length - 1)];
      const reach = PEN / 2 + 1;
      const rows = [Math.min(p[1], q[1]) - reach, Math.max(p[1], q[1]) + reach];
      const columns = [Math.min(p[0], q[0]) - reach, Math.max(p[0], q[0]) + reach];
      for (let y = Math.max(0, Math.floor(rows[0])); y < Math.min(SIDE, rows[1]); y++) {
        for (let x = Math.max(0, Math.floor(columns[0])); x < Math.min(SIDE, columns[1]); x++) {
          const ink = 255 * Math.min(1, Math.max(0, PEN / 2 + 0.5 - distance(x, y, p, q)));
          pixels[y * SIDE + x] = Math.max(pixels[y * SIDE + x], ink);
        }
      }
    });
  }
  return pixels;
}

/** [column, row] of the centre of mass. */
function centreOfMass(pixels) {
  let [mass, column, row] = [0, 0, 0];
  pixels.forEach((ink, i) => {
    mass += ink;
    column += ink * (i % SIDE);
    row += ink * Math.floor(i / SIDE);
  });
  return [column / mass, row / mass];
}

/** [left, top, the longer side] of the box around strokes. */
function boxOf(strokes) {
  const points = strokes.flat();
  const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(Math.max(...xs) - left, Math.max(...ys) - top)];
}

/** Whether strokes can be a digit: neither their box nor their length is under `least`. */
function isLargeEnough(strokes, least) {
  const lengths = strokes.flatMap((stroke) =>
    stroke.slice(1).map((p, i) => Math.hypot(p[0] - stroke[i][0], p[1] - stroke[i][1])));
  return Math.min(boxOf(strokes)[2], lengths.reduce((a, b) => a + b, 0)) >= least;
}

/** What the network sees of strokes in any unit: scaled into the box, centred by mass. */
function normalize(strokes) {
  const [left, top, extent] = boxOf(strokes);
  const scale = (BOX - PEN) / extent;
  const moved = (dx, dy) => strokes.map((stroke) =>
    stroke.map(([x, y]) => [(x - left) * scale + dx, (y - top) * scale + dy]));
  const [column, row] = centreOfMass(rasterize(moved(4, 4)));
  return rasterize(moved(4 + CENTRE - column, 4 + CENTRE - row));
}

/** The network's outputs for 784 grey values from 0 to 255. */
function classify(pixels) {
  return NETWORK.feedforward(pixels.map((ink) => ink * DATA.scale));
}

function paint(canvas, pixels) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  pixels.forEach((ink, i) => image.data.set([255 - ink, 255 - ink, 255 - ink, 255], 4 * i));
  context.putImageData(image, 0, 0);
}

{
  const pad = document.getElementById("pad");
  const context = pad.getContext("2d");
  const seen = document.getElementById("seen");
  const digit = document.getElementById("digit");
  const truth = document.getElementById("truth");
  const setBars = makeBars(document.getElementById("digit-bars"), DATA.names);
  let strokes = [];

  const say = (text, isHint) => {
    if (digit.textContent !== text) digit.textContent = text; // or it would be read out again
    digit.classList.toggle("hint", isHint);
  };
  /** Shows what the network makes of the pixels. */
  const look = (pixels) => {
    paint(seen, pixels);
    const outputs = classify(pixels);
    setBars(outputs);
    say(DATA.names[outputs.indexOf(Math.max(...outputs))], false);
  };
  /** Shows that there is nothing to classify yet, and what to do. */
  const ask = (text) => {
    paint(seen, new Array(SIDE * SIDE).fill(0));
    setBars(null);
    say(text, true);
  };
  const isDigit = () => isLargeEnough(strokes, SMALLEST * pad.width);

  const clear = () => {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, pad.width, pad.height);
    strokes = [];
    truth.textContent = "";
    ask("draw a digit");
  };

  /** A digit of the data, shown as large as the pad. */
  const put = (i) => {
    clear();
    const pixels = Array.from(SAMPLES[i]);
    context.imageSmoothingEnabled = false;
    const small = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
    paint(small, pixels);
    context.drawImage(small, 0, 0, pad.width, pad.height);
    look(pixels);
    truth.textContent = `This is a ${DATA.names[DATA.labels[i]]} by its label; ` +
      `the network says ${digit.textContent}.`;
  };

  const place = (event) => {
    const box = pad.getBoundingClientRect();
    const within = (part) => Math.min(1, Math.max(0, part)) * pad.width; // it is a square
    return [within((event.clientX - box.left) / box.width),
            within((event.clientY - box.top) / box.height)];
  };
  const drawTo = (point) => {
    const stroke = strokes.at(-1);
    const from = stroke.at(-1);
    stroke.push(point);
    context.strokeStyle = "#000";
    context.lineWidth = pad.width / 16;
    context.lineCap = "round";
    context.fillStyle = "#000";
    context.beginPath();
    if (from === undefined) { // a dot, which no line draws
      context.arc(...point, context.lineWidth / 2, 0, 2 * Math.PI);
      context.fill();
    } else {
      context.moveTo(...from);
      context.lineTo(...point);
      context.stroke();
    }
    if (isDigit()) look(normalize(strokes));
  };
  const endStroke = () => {
    if (strokes.length > 0 && !isDigit()) ask("too small to read; go on drawing");
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return; // a palm, a second finger
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    if (strokes.length === 0) clear(); // a digit of the data makes room
    strokes.push([]);
    drawTo(place(event));
  });
  pad.addEventListener("pointermove", (event) => {
    if (strokes.length > 0 && pad.hasPointerCapture(event.pointerId)) drawTo(place(event));
  });
  pad.addEventListener("lostpointercapture", endStroke);
  document.getElementById("clear").addEventListener("click", clear);

  const SAMPLES = DATA.labels.map((_, i) =>
    bytesOf(DATA.images).subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE));
  SAMPLES.forEach((sample, i) => {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.setAttribute("aria-label", `Put a ${DATA.names[DATA.labels[i]]} on the pad`);
    const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
    paint(canvas, Array.from(sample));
    button.append(canvas);
    button.addEventListener("click", () => put(i));
    document.getElementById("samples").append(button);
  });
  document.getElementById("network-says").textContent = DATA.says;
  document.getElementById("origin").textContent = DATA.origin;
  clear();
}
