"""PyTorch as it is usually written: nn.Sequential, autograd and torch.optim.SGD.

`BCEWithLogitsLoss` is the cross-entropy of sigmoid outputs, taken from z. The
optimiser's `foreach` and `fused` variants take the same time on these sizes.
"""

import machine
import torch

from . import base


class Peer(base.Peer):
    """Modules and an optimiser."""

    most = 10_000
    trains_only = True

    def __init__(self, problem):
        super().__init__(problem)
        torch.set_num_threads(machine.THREADS)
        layers = []
        for w, b in zip(problem.weights, problem.biases, strict=True):
            linear = torch.nn.Linear(w.shape[1], w.shape[0])
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w))
                linear.bias.copy_(torch.from_numpy(b[:, 0]))
            layers += [linear, torch.nn.Sigmoid()]
        self.network = torch.nn.Sequential(*layers[:-1])  # the loss has the last sigmoid
        self.cost = torch.nn.BCEWithLogitsLoss(reduction="sum")
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=problem.eta)
        self.inputs = torch.from_numpy(problem.training.inputs)
        self.targets = torch.from_numpy(problem.training.targets)
        self.generator = problem.generator()

    def epoch(self):
        m = self.problem.mini_batch_size
        order = torch.from_numpy(
            self.generator.permutation(len(self.problem.training))[: self.most]
        )
        for rows in order.split(m):
            self.optimizer.zero_grad()
            z = self.network(self.inputs.index_select(0, rows))
            (self.cost(z, self.targets.index_select(0, rows)) / len(rows)).backward()
            self.optimizer.step()

    @torch.inference_mode()
    def outputs(self, a):
        return torch.sigmoid(self.network(a))

    def correct(self):
        test = self.problem.test
        digits = self.outputs(torch.from_numpy(test.inputs)).argmax(dim=1)
        return int((digits == torch.from_numpy(test.labels)).sum())

    def feedforward(self, x):
        return self.outputs(torch.from_numpy(x[None])).numpy()[0]

    def parameters(self):
        linear = self.network[::2]
        weights = [layer.weight.detach().numpy() for layer in linear]
        return weights, [layer.bias.detach().numpy()[:, None] for layer in linear]
