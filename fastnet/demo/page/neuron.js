"use strict";
// The single neuron with the input 1 and the wanted output 0.

const EPOCHS = 300;
const EPOCHS_PER_SECOND = 60;

// For the target 0: the cost, and dC/dw, which is dC/db too since the input is 1, by equations 55
// and 56, or 61 and 62. BOOK_ETA, the book's rate for each, comes from fastnet/demo/neuron.py.
const COSTS = {
  quadratic: { value: (z, a) => (a * a) / 2, slope: (a) => a * a * (1 - a) },
  // -ln(1 - a) is ln(1 + e^z), which does not lose digits near a = 0.
  "cross-entropy": { value: (z) => Math.log1p(Math.exp(z)), slope: (a) => a },
};

class Neuron {
  constructor(weight, bias, cost) {
    Object.assign(this, { weight, bias, kind: COSTS[cost] });
  }

  get output() {
    return ACTIVATIONS.sigmoid(this.weight + this.bias);
  }

  get cost() {
    return this.kind.value(this.weight + this.bias, this.output);
  }

  get slope() {
    return this.kind.slope(this.output);
  }

  learn(eta) {
    const step = eta * this.slope;
    this.weight -= step;
    this.bias -= step;
  }
}

/** Axes 0 to EPOCHS and 0 to `top` in an SVG; returns the function that draws the values. */
function makeChart(svg, name) {
  const [width, height, left, right, above, below] = [300, 220, 42, 12, 26, 42];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const x = (epoch) => left + (epoch / EPOCHS) * (width - left - right);
  const y = (value, top) => height - below - (value / top) * (height - above - below);
  return (values, top) => {
    const digits = top < 0.5 ? 2 : 1; // of a fifth of it
    const grid = [0, 0.2, 0.4, 0.6, 0.8, 1].map((part) => {
      const at = y(part, 1);
      return `<line class="grid" x1="${left}" x2="${width - right}" y1="${at}" y2="${at}"/>
        <text x="${left - 6}" y="${at + 4}" text-anchor="end">${(part * top).toFixed(digits)}</text>`;
    });
    const epochs = [0, 100, 200, 300].map((epoch) =>
      `<text x="${x(epoch)}" y="${height - below + 18}" text-anchor="middle">${epoch}</text>`);
    const points = values.map((v, epoch) => `${x(epoch).toFixed(1)},${y(v, top).toFixed(1)}`);
    svg.innerHTML = `${grid.join("")}${epochs.join("")}
      <text x="${left - 6}" y="16">${name}</text>
      <text x="${(left + width - right) / 2}" y="${height - 5}" text-anchor="middle">epoch</text>
      <polyline class="curve" points="${points.join(" ")}"/>
      <circle cx="${points.at(-1).split(",")[0]}" cy="${points.at(-1).split(",")[1]}" r="4"
        style="fill: var(--${name.startsWith("output") ? "blue" : "vermilion"})"/>`;
  };
}

{
  const form = document.getElementById("neuron-controls");
  const runButton = document.getElementById("run");
  const bookRates = document.getElementById("book-rates");
  const etaSlider = document.getElementById("eta");
  const show = (id, text) => { document.getElementById(id).textContent = text; };
  const drawOutput = makeChart(document.getElementById("output-chart"), "output a");
  const drawCost = makeChart(document.getElementById("cost-chart"), "cost C");
  const slider = (id) => Number(document.getElementById(id).value);
  const useBookRates = () => bookRates.getAttribute("aria-pressed") === "true";
  let neuron, outputs, costs, eta;
  let frame = null; // the animation's next one, null while nothing runs
  let etaBefore = etaSlider.value; // the slider's value before the book's rates

  const draw = () => {
    drawOutput(outputs, 1);
    drawCost(costs, niceTop(costs[0]));
    show("n-epoch", outputs.length - 1);
    show("n-weight", neuron.weight.toFixed(2));
    show("n-bias", neuron.bias.toFixed(2));
    show("n-output", neuron.output.toFixed(3));
    show("n-cost", neuron.cost.toFixed(4));
    show("n-slope", neuron.slope.toFixed(4));
  };

  /** The round number over the first cost, which is the largest. */
  const niceTop = (cost) => [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10].find((top) => cost <= top);

  /** Begins the animation with its first frame, or ends it with null; the button says which. */
  const setFrame = (next) => {
    if (next === null) cancelAnimationFrame(frame);
    frame = next;
    runButton.textContent = frame === null ? "Run" : "Stop";
    runButton.classList.toggle("running", frame !== null);
  };

  const start = () => {
    setFrame(null);
    show("neuron-result", "");
    showSliders(form);
    const cost = form.elements.cost.value;
    eta = slider("eta");
    show("neuron-caption", `${cost} cost, η = ${eta}${useBookRates() ? " (the book’s rate)" : ""}`);
    neuron = new Neuron(slider("weight"), slider("bias"), cost);
    outputs = [neuron.output];
    costs = [neuron.cost];
    draw();
  };

  const advance = (epochs) => {
    for (let i = 0; i < epochs && outputs.length <= EPOCHS; i++) {
      neuron.learn(eta);
      outputs.push(neuron.output);
      costs.push(neuron.cost);
    }
    draw();
    if (outputs.length > EPOCHS) {
      setFrame(null);
      show("neuron-result", `After ${EPOCHS} epochs the output is ${neuron.output.toFixed(3)}.`);
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (frame !== null) {
      setFrame(null);
      show("neuron-result",
        `Stopped after ${outputs.length - 1} epochs: the output is ${neuron.output.toFixed(3)}.`);
      return;
    }
    start();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      advance(EPOCHS);
      return;
    }
    show("neuron-result", `Running ${EPOCHS} epochs.`);
    const began = performance.now();
    const animate = (now) => {
      advance(Math.floor(((now - began) / 1000) * EPOCHS_PER_SECOND) + 1 - outputs.length);
      if (outputs.length <= EPOCHS) frame = requestAnimationFrame(animate);
    };
    setFrame(requestAnimationFrame(animate));
  });
  form.addEventListener("input", (event) => {
    if (event.target === etaSlider) {
      bookRates.setAttribute("aria-pressed", "false"); // the rate is the user's own now
    } else if (useBookRates()) {
      etaSlider.value = BOOK_ETA[form.elements.cost.value];
    }
    start();
  });
  bookRates.addEventListener("click", () => {
    bookRates.setAttribute("aria-pressed", String(!useBookRates()));
    if (useBookRates()) etaBefore = etaSlider.value;
    etaSlider.value = useBookRates() ? BOOK_ETA[form.elements.cost.value] : etaBefore;
    start();
  });
  for (const button of form.querySelectorAll("[data-start]")) {
    button.addEventListener("click", () => {
      const [weight, bias] = button.dataset.start.split(" ");
      document.getElementById("weight").value = weight;
      document.getElementById("bias").value = bias;
      start();
    });
  }
  start();
}
