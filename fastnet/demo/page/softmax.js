"use strict";
// Four weighted inputs and the constant c; the outputs as bars.

{
  const form = document.getElementById("softmax-controls");
  const INPUTS = [1, 2, 3, 2.5];
  const label = (name, id, min, max, step, value) => `<label class="slider"><span>${name}</span>
    <output></output><input type="range" id="${id}" min="${min}" max="${max}" step="${step}"
    value="${value}"></label>`;
  form.innerHTML =
    INPUTS.map((z, j) =>
      label(`weighted input z<sub>${j + 1}</sub>`, `z${j + 1}`, -5, 5, 0.1, z)).join("") +
    label("constant c", "c", 0.1, 20, 0.1, 1);
  const setBars = makeBars(
    document.getElementById("softmax-bars"), INPUTS.map((_, j) => `a<sub>${j + 1}</sub>`));

  const draw = () => {
    showSliders(form);
    const z = INPUTS.map((_, j) => Number(document.getElementById(`z${j + 1}`).value));
    const outputs = softmax(z, Number(document.getElementById("c").value));
    setBars(outputs);
    const sum = outputs.reduce((a, b) => a + b, 0);
    document.getElementById("softmax-sum").textContent = sum.toFixed(3);
  };
  form.addEventListener("input", draw);
  form.addEventListener("submit", (event) => event.preventDefault());
  draw();
}
