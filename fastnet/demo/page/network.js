"use strict";
// What the page computes with: the softmax, and a trained network as Python wrote it.

/** Softmax of c z (equation 83; 78 for c = 1). */
function softmax(z, c = 1) {
  const largest = Math.max(...z);
  const e = z.map((value) => Math.exp(c * (value - largest)));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((value) => value / sum);
}

/** The error function by its series of positive terms; beyond 6 it is 1 in every digit. */
function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

// From the classes of fastnet/nn/activations.py: ACTIVATIONS, {name: function of a number}, and
// LAYERS, {name: function of all weighted inputs of a layer}.
class Network {
  /** `layers`: {activation, n_in, n_out, weights, biases}, numbers of `dtype` in base64. */
  constructor(dtype, layers) {
    const Reals = dtype === "float64" ? Float64Array : Float32Array;
    this.layers = layers.map((layer) => ({
      ...layer,
      weights: new Reals(bytesOf(layer.weights).buffer),
      biases: new Reals(bytesOf(layer.biases).buffer),
    }));
  }

  /** The outputs for the inputs x. */
  feedforward(x) {
    let a = Array.from(x);
    for (const { activation, n_in, n_out, weights, biases } of this.layers) {
      const z = Array.from({ length: n_out }, (_, j) => {
        let sum = biases[j];
        for (let k = 0; k < n_in; k++) sum += weights[j * n_in + k] * a[k];
        return sum;
      });
      a = activation in LAYERS ? LAYERS[activation](z) : z.map(ACTIVATIONS[activation]);
    }
    return a;
  }
}

/** Rows of a name, a bar and a number; returns the function that sets the values. */
function makeBars(place, names) {
  const rows = names.map((name) => {
    const row = document.createElement("div");
    row.className = "bar";
    for (const part of ["name", "track", "value"]) {
      row.append(Object.assign(document.createElement("span"), { className: part }));
    }
    const [label, track, value] = row.children;
    label.innerHTML = name;
    const fill = Object.assign(document.createElement("div"), { className: "fill" });
    track.append(fill);
    place.append(row);
    return { row, fill, value };
  });
  return (values) => {
    const largest = values === null ? null : Math.max(...values);
    rows.forEach(({ row, fill, value }, j) => {
      const v = values === null ? 0 : values[j];
      fill.style.width = `${100 * Math.min(Math.max(v, 0), 1)}%`;
      value.textContent = values === null ? "" : v.toFixed(3);
      row.classList.toggle("first", v === largest);
    });
  };
}

/** Shows beside each slider of a form where it stands. */
function showSliders(form) {
  for (const slider of form.querySelectorAll("input[type=range]")) {
    slider.parentElement.querySelector("output").textContent = slider.value;
  }
}
