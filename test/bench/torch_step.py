"""One training step of a ResNet in PyTorch for each line read; prints milliseconds, milliseconds of processor time,
loss and peak memory in MB.

Arguments: depth (18 or 50), batch, side, precision (float32 or bfloat16), threads. Only torch itself is needed.
He et al. 2016, arXiv:1512.03385; the stride of a bottleneck is on its 3x3 convolution.
"""
import sys
import time

import torch
from torch import nn

BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}


def conv(inputs, outputs, kernel, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Block(nn.Module):
    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        outputs = width * 4 if bottleneck else width
        if bottleneck:
            shapes = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        else:
            shapes = [(inputs, width, 3, stride), (width, width, 3, 1)]
        layers = []
        for shape in shapes:
            layers += [conv(*shape), nn.BatchNorm2d(shape[1]), nn.ReLU(inplace=True)]
        self.main = nn.Sequential(*layers[:-1])
        self.shortcut = None
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.main(x)
        y += x if self.shortcut is None else self.shortcut(x)
        return torch.relu_(y)


class ResNet(nn.Module):
    def __init__(self, depth, classes):
        super().__init__()
        bottleneck = depth == 50
        layers = [conv(3, 64, 7, 2), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
        inputs = 64
        for stage, count in enumerate(BLOCKS[depth]):
            width = 64 << stage
            for index in range(count):
                layers.append(Block(inputs, width, 2 if stage > 0 and index == 0 else 1, bottleneck))
                inputs = width * 4 if bottleneck else width
        self.trunk = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        return self.fc(self.trunk(x))


def peak_memory():
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith('VmHWM'))


def trainer(depth, batch, side, precision, threads):
    """A function that takes one step and returns the loss."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = ResNet(depth, 1000).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    images = torch.randn(batch, 3, side, side).to(memory_format=torch.channels_last)
    labels = torch.randint(1000, (batch,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=precision == 'bfloat16'):
            loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def main():
    depth, batch, side = (int(argument) for argument in sys.argv[1:4])
    step = trainer(depth, batch, side, sys.argv[4], int(sys.argv[5]))
    print('ready', torch.__version__, flush=True)
    for _ in sys.stdin:
        start, worked = time.perf_counter(), time.process_time()
        value = step()
        elapsed, worked = time.perf_counter() - start, time.process_time() - worked
        print(elapsed * 1000, worked * 1000, value, peak_memory(), flush=True)


if __name__ == '__main__':
    main()
