"""``fastnet demo``."""

import argparse

from fastnet import demo
from fastnet.cli.outputs import check_is_another
from fastnet.data.dataset import Dataset
from fastnet.data.idx import load_images, load_mnist
from fastnet.network import load


def run(options: argparse.Namespace) -> None:
    """Draw a picture, write the page, or list the pictures."""
    inputs = [(f"--{name}", getattr(options, name)) for name in ("model", "images", "labels")]
    for name in ("save", "html"):
        if getattr(options, name):
            check_is_another(f"--{name}", getattr(options, name), inputs)
    if options.html is not None:
        if any((options.name, options.save, options.dark, options.book_rates)):
            raise ValueError(
                "--html: expected no NAME, --save, --dark or --book-rates with it, got one"
            )
        demo.write_page(options.html, user_network(options, "--html"))
        print(f"Saved to {options.html}: open it in a browser")
    elif options.name is not None:
        _draw(options)
    else:
        _list_pictures(options)


def _list_pictures(options: argparse.Namespace) -> None:
    given = [f"--{o}" for o in ("save", "model", "images", "labels") if getattr(options, o)]
    given += [f"--{o}" for o in ("dark", "book-rates") if getattr(options, o.replace("-", "_"))]
    if given:
        raise ValueError(f"NAME: expected a picture with {given[0]}, got none")
    width = max(map(len, demo.DEMOS))
    print(*(f"{name:{width}}  {d.line}" for name, d in demo.DEMOS.items()), sep="\n")
    print(
        "\nfastnet demo NAME opens a window, with --save FILE.png it writes a picture;\n"
        "fastnet demo --html FILE.html writes a page to play with in a browser"
    )


def _draw(options: argparse.Namespace) -> None:
    """Draw the picture in a window or into the file of --save."""
    user = user_network(options, options.name) if demo.find(options.name).of_network else None
    if user is None and (options.model or options.images or options.labels):
        of_network = ", ".join(name for name, d in demo.DEMOS.items() if d.of_network)
        raise ValueError(
            f"--model: expected one of {of_network} or --html with it, got {options.name}"
        )
    if options.save is None:
        demo.show(options.name, user, options.dark, options.book_rates)
    else:
        demo.save(options.name, options.save, user, options.dark, options.book_rates)
        print(f"Saved to {options.save}")


def user_network(options: argparse.Namespace, name: str) -> demo.UserNetwork | None:
    """The user's network and images for a picture, None if there are none."""
    if (options.images is None) != (options.labels is None):
        raise ValueError("--images, --labels: expected both or none, got one")
    if options.model is None:
        if options.images is not None:
            raise ValueError("--images: expected a --model that was trained for them, got none")
        return None
    net = load(options.model)
    shape: tuple[int, ...] = ()
    if options.images is None:
        data, whose = load_mnist()[2], "of MNIST"
    else:
        data, shape = load_images(options.images, options.labels)
        whose = f"in {options.images}"
    if net.sizes[0] != data.X.shape[1] and (name != "weights" or shape):
        raise ValueError(
            f"--model: expected a network of {data.X.shape[1]} inputs for the images {whose}, "
            f"got {net.sizes[0]} inputs"
        )
    if net.input_scale is not None:
        data = Dataset(data.X, data.y, net.input_scale)
    return demo.UserNetwork(net, data, (shape[0], shape[1]) if len(shape) == 2 else None)
