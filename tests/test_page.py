"""The page for a browser: in a real one, it computes what Python computes."""

import base64
import json
import re
import shutil
import struct
from itertools import product

import numpy as np
import pytest

import fastnet
from fastnet.demo import page
from fastnet.demo.neuron import BOOK_ETA, EPOCHS, ETA, STARTS, Neuron
from fastnet.nn import activations

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# As root there is no sandbox; and nothing of the browser's own goes to the network.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def net(mnist):
    net = fastnet.Network([784, 30, 10], seed=1)
    net.SGD(mnist[0], 2, 10, 0.5, verbose=False)
    return net


@pytest.fixture(scope="module")
def file(net, mnist, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    page.write(str(path), net, mnist[2])
    return path


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)


@pytest.fixture
def visit(browser, file):
    """A function that opens the page; at the end, nothing may have been asked for or gone wrong."""
    contexts, asked, wrong = [], [], []

    def open_page(path=file, width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.goto(path.as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in asked if url.startswith("file:")]) == len(contexts)
    assert wrong == []


# ---- the file --------------------------------------------------------------


def test_the_page_is_one_file_that_names_no_other(file):
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"(?:src|href)\s*=\s*[\"'](?!data:)", text) == []
    for loads in ("http:", "https:", "@import", "url(", "fetch(", "XMLHttpRequest", "WebSocket"):
        assert loads not in text
    assert "<!-- " not in text  # every part is in its place
    assert "default-src 'none'" in text


def test_the_page_holds_the_networks_parameters_to_the_last_bit(file, net):
    text = file.read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    for layer, w, b in zip(data["layers"], net.weights, net.biases, strict=True):
        for name, expected in (("weights", w), ("biases", b)):
            content = base64.b64decode(layer[name])
            assert struct.unpack(f"<{len(content) // 4}f", content) == tuple(expected.ravel())


@pytest.mark.parametrize("sizes", [[64, 10], [784, 30, 9], [785, 10]])
def test_a_network_that_has_no_place_on_the_pad_is_refused(sizes, mnist, tmp_path):
    message = rf"^net: expected 784 inputs and 10 outputs, .* got {re.escape(str(sizes))}$"
    with pytest.raises(ValueError, match=message):
        page.write(str(tmp_path / "x.html"), fastnet.Network(sizes, seed=0), mnist[2])
    assert list(tmp_path.iterdir()) == []


def test_images_that_are_no_bytes_are_refused(net, tmp_path):
    data = fastnet.Dataset(np.zeros((10, 784)), np.arange(10))
    with pytest.raises(ValueError, match=r"^test: expected images of bytes, and labels; got <Data"):
        page.write(str(tmp_path / "x.html"), net, data)


# ---- the neuron ------------------------------------------------------------


def test_the_neuron_of_the_page_learns_as_that_of_python(visit):
    tab = visit()
    for start, cost, eta in product(STARTS, BOOK_ETA, {ETA, *BOOK_ETA.values()}):
        outputs, costs = tab.evaluate(
            """([w, b, cost, eta, epochs]) => {
                const neuron = new Neuron(w, b, cost);
                const [outputs, costs] = [[neuron.output], [neuron.cost]];
                for (let i = 0; i < epochs; i++) {
                    neuron.learn(eta);
                    outputs.push(neuron.output);
                    costs.push(neuron.cost);
                }
                return [outputs, costs];
            }""",
            [*start, cost, eta, EPOCHS],
        )
        expected = Neuron(*start, cost).learn(eta, EPOCHS)
        np.testing.assert_allclose((outputs, costs), expected, rtol=1e-12)


def test_the_page_has_the_costs_and_the_rates_of_python(net, mnist):
    text = page.page(net, mnist[2], "")
    assert re.findall(r'name="cost" value="([\w-]+)"( checked)?>', text) == [
        (cost, " checked" * (i == 0)) for i, cost in enumerate(BOOK_ETA)
    ]
    assert f"const BOOK_ETA = {json.dumps(BOOK_ETA)};" in text
    assert (
        "rates are 0.15 for the quadratic cost and 0.005 for the cross-entropy cost."
        in " ".join(text.split())
    )
    table = text.split("const COSTS = {")[1].split("\n};")[0]
    assert re.findall(r'^  "?([\w-]+)"?: \{ value', table, re.MULTILINE) == list(BOOK_ETA)
    assert "<!--" not in text


def wait_for_the_end(tab):
    tab.get_by_text(re.compile("After 300 epochs")).wait_for(state="attached")


def test_run_ends_at_0_09_and_the_curves_end_there_too(visit):
    tab = visit()
    assert float(tab.inner_text("#n-output")) == 0.818  # 0.82 in the text
    tab.click("#run")
    wait_for_the_end(tab)
    assert round(float(tab.inner_text("#n-output")), 2) == 0.09
    assert len(tab.get_attribute("#output-chart polyline", "points").split()) == 301
    assert "0.09" in tab.text_content("#neuron-result")
    tab.click("#run")
    assert int(tab.inner_text("#n-epoch")) < 300  # from the start again


def test_without_motion_run_shows_the_end_at_once_for_both_starts_and_costs(visit):
    tab = visit(reduced_motion="reduce")
    for start, button in zip(STARTS, ("0.6 0.9", "2 2"), strict=True):
        for cost in BOOK_ETA:
            tab.check(f"input[value={cost}]")
            assert float(tab.input_value("#eta")) == ETA  # the same for both
            tab.click(f"[data-start='{button}']")
            tab.click("#run")
            assert tab.inner_text("#n-epoch") == "300"
            output = Neuron(*start, cost).learn(ETA, EPOCHS)[0][-1]
            assert tab.inner_text("#n-output") == f"{output:.3f}"


def test_the_other_cost_keeps_a_learning_rate_that_the_user_set(visit):
    tab = visit(reduced_motion="reduce")
    assert tab.inner_text("#neuron-caption") == "quadratic cost, η = 0.15"
    tab.fill("#eta", "0.4")
    for cost in ("cross-entropy", "quadratic", "cross-entropy"):
        tab.check(f"input[value={cost}]")
        assert tab.input_value("#eta") == "0.4"
        assert tab.inner_text("#neuron-caption") == f"{cost} cost, η = 0.4"
        tab.click("#run")
        output = Neuron(0.6, 0.9, cost).learn(0.4, EPOCHS)[0][-1]
        assert tab.inner_text("#n-output") == f"{output:.3f}"


def test_the_books_rates_are_one_click_away_and_so_is_the_way_back(visit):
    tab = visit(reduced_motion="reduce")
    button = tab.get_by_role("button", name="the book’s rates")
    tab.fill("#eta", "0.4")
    button.click()
    for cost in (*BOOK_ETA, *BOOK_ETA):
        tab.check(f"input[value={cost}]")
        assert button.get_attribute("aria-pressed") == "true"
        caption = f"{cost} cost, η = {BOOK_ETA[cost]:g} (the book’s rate)"
        assert tab.inner_text("#neuron-caption") == caption
        tab.click("#run")
        output = Neuron(0.6, 0.9, cost).learn(BOOK_ETA[cost], EPOCHS)[0][-1]
        assert tab.inner_text("#n-output") == f"{output:.3f}"
    tab.fill("#weight", "1")  # another start leaves them
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert tab.input_value("#eta") == "0.4"
    button.click()
    tab.fill("#eta", "0.3")  # the user's own from then on
    assert button.get_attribute("aria-pressed") == "false"
    tab.check("input[value=quadratic]")
    assert tab.inner_text("#neuron-caption") == "quadratic cost, η = 0.3"


def test_run_is_stop_while_it_runs_and_runs_again_after_that(visit):
    tab = visit()
    run = tab.locator("#run")
    assert run.inner_text() == "Run"
    for how in (run.click, lambda: run.press("Enter")):
        how()
        assert run.inner_text() == "Stop"
        assert "Running" in tab.inner_text("#neuron-result")
        tab.locator("#n-epoch", has_text=re.compile(r"^([6-9]|\d\d+)$")).wait_for()
        how()
        assert run.inner_text() == "Run"
        epoch = int(tab.inner_text("#n-epoch"))
        assert 5 < epoch < EPOCHS
        assert f"Stopped after {epoch} epochs" in tab.inner_text("#neuron-result")
        tab.wait_for_timeout(100)
        assert int(tab.inner_text("#n-epoch")) == epoch
        assert len(tab.get_attribute("#output-chart polyline", "points").split()) == epoch + 1
    run.click()
    assert int(tab.inner_text("#n-epoch")) < epoch  # from the start again
    wait_for_the_end(tab)
    assert run.inner_text() == "Run"
    run.click()
    tab.check("input[value=cross-entropy]")  # a new start ends the training
    assert run.inner_text() == "Run"
    assert tab.inner_text("#n-epoch") == "0"
    assert tab.inner_text("#neuron-result") == ""


def test_the_ends_of_the_sliders_are_drawn_too(visit):
    tab = visit(reduced_motion="reduce")
    for cost, start, eta in product(BOOK_ETA, (-4, 4), (0.005, 1)):
        tab.check(f"input[value={cost}]")
        for name, value in (("weight", start), ("bias", start), ("eta", eta)):
            tab.fill(f"#{name}", str(value))
        tab.click("#run")
        for chart in ("#output-chart", "#cost-chart"):
            points = tab.get_attribute(f"{chart} polyline", "points").replace(",", " ").split()
            y = np.array(points[1::2], float)
            assert len(y) == 301
            assert (y >= 25).all()  # within the axes, of 26 to 178
            assert (y <= 179).all()
            ticks = tab.locator(f"{chart} text[text-anchor=end]").all_text_contents()
            ticks = np.array(ticks, float)
            np.testing.assert_allclose(np.diff(ticks), ticks[-1] / 5, rtol=1e-9)


# ---- the softmax -----------------------------------------------------------


def test_the_sliders_bars_sum_to_one_and_are_the_softmax(visit):
    tab = visit()
    inputs = [[1, 2, 3, 2.5], [-5, -5, -5, 5], [0, 0, 0, 0], [5, 4.9, -5, 0]]
    for z, c in product(inputs, (0.1, 1, 20)):
        for j, value in enumerate(z, 1):
            tab.fill(f"#z{j}", str(value))
        tab.fill("#c", str(c))
        assert tab.inner_text("#softmax-sum") == "1.000"
        widths = tab.eval_on_selector_all(
            "#softmax-bars .fill", "fills => fills.map(fill => parseFloat(fill.style.width) / 100)"
        )
        assert sum(widths) == pytest.approx(1, rel=1e-4, abs=0)  # CSS keeps six digits
        np.testing.assert_allclose(widths, fastnet.softmax(np.array(z, float), c), atol=1e-5)
        if c == 20 and z == inputs[0]:  # toward the maximum function
            assert widths[2] > 0.9999


# ---- the pad ---------------------------------------------------------------


def grey(tab, canvas):
    """The ink of a canvas, row after row, of every twentieth row and column of a large one."""
    red = tab.eval_on_selector(
        canvas,
        """c => Array.from(c.getContext("2d").getImageData(0, 0, c.width, c.height).data)
            .filter((_, i) => i % 4 === 0)
            .filter((_, i) => c.width === 28 ||
                (i % c.width % 20 === 10 && Math.floor(i / c.width) % 20 === 10))""",
    )
    return 255 - np.array(red)


def stroke(tab, points):
    """Draw with the mouse, through places in parts of the pad."""
    tab.locator("#pad").scroll_into_view_if_needed()
    box = tab.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    tab.mouse.move(*places[0])
    tab.mouse.down()
    for place in places[1:]:
        tab.mouse.move(*place, steps=5)
    tab.mouse.up()


DRAWN = {
    "0": [[(0.5, 0.2), (0.35, 0.3), (0.3, 0.5), (0.35, 0.7), (0.5, 0.8), (0.63, 0.7), (0.68, 0.5),
           (0.63, 0.3), (0.5, 0.2)]],
    "1": [[(0.5, 0.15), (0.5, 0.85)]],
    "3": [[(0.3, 0.25), (0.45, 0.15), (0.62, 0.22), (0.62, 0.36), (0.45, 0.46), (0.63, 0.55),
           (0.66, 0.72), (0.5, 0.84), (0.3, 0.76)]],
    "4": [[(0.35, 0.2), (0.33, 0.5), (0.65, 0.5)], [(0.65, 0.2), (0.63, 0.85)]],
    "7": [[(0.3, 0.2), (0.68, 0.2), (0.45, 0.85)]],
}  # fmt: skip


def test_every_sample_put_on_the_pad_is_classified_as_in_python(visit, net, mnist):
    test = mnist[2]
    tab = visit()
    shown = [np.flatnonzero(test.y == k)[i] for k in range(10) for i in range(2)]
    buttons = tab.locator("#samples button")
    assert buttons.count() == len(shown)
    for n, i in enumerate(shown):
        buttons.nth(n).click()
        outputs = net.feedforward(test[i : i + 1])[0]
        assert tab.inner_text("#digit") == str(outputs.argmax())
        values = [float(v) for v in tab.locator("#digit-bars .value").all_inner_texts()]
        np.testing.assert_allclose(values, outputs, rtol=0, atol=5.2e-4)  # of three digits
        assert f"This is a {test.y[i]} " in tab.inner_text("#truth")
        assert grey(tab, "#seen").tolist() == test.X[i].tolist()


def test_hundreds_of_test_digits_are_classified_as_in_python(visit, net, mnist):
    images = mnist[2][:300]
    outputs = visit().evaluate("images => images.map(classify)", images.X.tolist())
    expected = net.feedforward(images)
    # What 784 additions in doubles differ from those in floats, at outputs between 0 and 1.
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=2e-5)
    assert np.argmax(outputs, axis=1).tolist() == expected.argmax(axis=1).tolist()
    assert np.std(expected, axis=0).min() > 0.1


@pytest.mark.parametrize(
    ("dtype", "hidden", "cost", "output"),
    [
        ("float32", "sigmoid", "cross-entropy", "sigmoid"),
        ("float64", "sigmoid", "cross-entropy", "sigmoid"),
        ("float32", "relu", "quadratic", "linear"),
        *(("float64", hidden, "quadratic", "linear") for hidden in activations.HIDDEN[1:]),
        ("float64", "tanh", "log-likelihood", "softmax"),
        ("float64", "sigmoid", "poisson", "exponential"),
    ],
)
def test_any_kind_of_network_works(visit, mnist, tmp_path, dtype, hidden, cost, output):
    sizes = [784, 20, 15, 10]
    net = fastnet.Network(sizes, cost, output=output, hidden=hidden, dtype=dtype, seed=3)
    if hidden == "sigmoid":  # or all images would give nearly the same
        net.large_weight_initializer()
    page.write(str(tmp_path / "page.html"), net, mnist[2])
    images = mnist[2][:50]
    outputs = visit(tmp_path / "page.html").evaluate("x => x.map(classify)", images.X.tolist())
    expected = net.feedforward(images)
    tolerance = 2e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(outputs, expected, rtol=tolerance, atol=tolerance)
    assert np.std(expected, axis=0).min() > 1e-3


@pytest.mark.parametrize("size", [1.0, 0.4])
def test_a_drawn_digit_is_read_wherever_and_however_large_it_is(visit, size):
    tab = visit()
    for digit, strokes in DRAWN.items():
        tab.click("#clear")
        for points in strokes:
            stroke(tab, [(0.05 + size * (x - 0.1), 0.02 + size * y) for x, y in points])
        ink = grey(tab, "#seen").reshape(28, 28)
        rows, columns = np.nonzero(ink > 25)
        extent = max(np.ptp(rows), np.ptp(columns)) + 1
        assert 19 <= extent <= 22  # MNIST's box of 20, and what is soft at its edges
        assert ink.max() > 250
        centre = (ink.sum(axis=1) @ np.arange(28), ink.sum(axis=0) @ np.arange(28))
        assert np.divide(centre, ink.sum()) == pytest.approx((14, 14), rel=0, abs=0.1)
        assert tab.inner_text("#digit") == digit


def test_clear_empties_the_pad_and_a_new_stroke_replaces_a_sample(visit):
    tab = visit()
    assert grey(tab, "#pad").max() == 0
    stroke(tab, DRAWN["1"][0])
    assert grey(tab, "#pad").max() == 255
    alone = grey(tab, "#seen")
    tab.click("#clear")
    assert grey(tab, "#pad").max() == grey(tab, "#seen").max() == 0
    assert tab.inner_text("#digit") == "draw a digit"
    tab.locator("#samples button").nth(0).click()
    assert (grey(tab, "#seen") != alone).any()
    assert grey(tab, "#pad").max() == 255
    stroke(tab, DRAWN["1"][0])
    assert tab.inner_text("#truth") == ""
    assert (grey(tab, "#seen") == alone).all()


def test_what_is_drawn_outside_stays_at_the_edge_of_the_pad(visit):
    tab = visit()
    stroke(tab, [(0.02, 0.02), (0.98, 0.02), (1.4, -0.5)])
    ink = grey(tab, "#seen").reshape(28, 28)
    rows = np.nonzero(ink.max(axis=1) > 25)[0]
    assert np.ptp(rows) <= 3  # a horizontal bar, and nothing that goes up from its end


def test_a_second_finger_draws_nothing(visit):
    tab = visit(width=390, has_touch=True)
    tab.locator("#pad").scroll_into_view_if_needed()
    box = tab.locator("#pad").bounding_box()
    session = tab.context.new_cdp_session(tab)

    def touch(kind, *places):
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": i}
            for i, (x, y) in enumerate(places)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    pictures = []
    for second in ([], [(0.9, 0.9)]):
        tab.click("#clear")
        touch("touchStart", (0.5, 0.2))
        touch("touchMove", (0.5, 0.5), *second)
        touch("touchMove", (0.5, 0.8), *second)
        touch("touchEnd")
        pictures.append(grey(tab, "#seen").tolist())
    assert max(pictures[0]) > 250
    assert pictures[0] == pictures[1]


def assert_nothing_is_classified(tab, hint):
    assert tab.inner_text("#digit") == hint
    assert grey(tab, "#seen").max() == 0
    assert set(tab.locator("#digit-bars .value").all_inner_texts()) == {""}
    widths = "bars => bars.map(bar => bar.getBoundingClientRect().width)"
    assert set(tab.eval_on_selector_all("#digit-bars .fill", widths)) == {0}
    assert tab.locator("#digit-bars .first").count() == 0


def test_an_empty_pad_invites_to_draw_and_shows_nothing_that_looks_like_an_answer(visit):
    tab = visit()
    assert_nothing_is_classified(tab, "draw a digit")
    size = "e => parseFloat(getComputedStyle(e).fontSize)"
    assert tab.eval_on_selector("#digit", size) < 20
    stroke(tab, DRAWN["1"][0])
    assert tab.eval_on_selector("#digit", size) > 60
    tab.click("#clear")
    assert_nothing_is_classified(tab, "draw a digit")


TOO_SMALL = "too small to read; go on drawing"


def test_a_tap_makes_a_dot_which_is_no_digit(visit):
    tab = visit(width=390, has_touch=True)
    tab.locator("#pad").scroll_into_view_if_needed()
    tab.tap("#pad")
    assert 0 < np.count_nonzero(grey(tab, "#pad")) < 10  # it is on the pad
    assert_nothing_is_classified(tab, TOO_SMALL)


@pytest.mark.parametrize(
    "strokes",
    [
        [[(0.5, 0.5)]],
        [[(0.5, 0.5), (0.5, 0.6)]],
        [[(0.2, 0.2)], [(0.8, 0.8)]],  # dots apart
        [[(0.5, 0.5), (0.55, 0.55)] * 4],  # a long stroke in one place
    ],
)
def test_dots_and_short_strokes_are_no_digits_until_the_drawing_goes_on(visit, strokes):
    tab = visit()
    tab.locator("#samples button").nth(0).click()  # an answer before does not stay
    for points in strokes:
        stroke(tab, points)
        assert_nothing_is_classified(tab, TOO_SMALL)
    stroke(tab, DRAWN["1"][0])
    assert tab.inner_text("#digit") in [*"0123456789"]
    tab.click("#clear")
    assert_nothing_is_classified(tab, "draw a digit")


# ---- how it looks ----------------------------------------------------------


def test_nothing_is_wider_than_the_screen(visit):
    tab = visit()
    for width in (1280, 768, 360, 320):
        tab.set_viewport_size({"width": width, "height": 900})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1920, 1280, 768, 400, 320])
def test_no_button_wraps_alone_and_no_label_is_broken_or_cut(visit, width):
    tab = visit(width=width)
    starts = [box.bounding_box() for box in tab.locator("[data-start]").all()]
    assert {box["y"] for box in starts} == {starts[0]["y"]}
    tab.click("#book-rates")  # which makes its text longer
    broken = tab.eval_on_selector_all(
        "form button, #clear",
        """buttons => buttons.filter((b) => b.scrollWidth > b.clientWidth ||
            b.getBoundingClientRect().height > 48).map((b) => b.textContent)""",
    )
    assert broken == []


def test_it_is_light_or_dark_as_the_visitor_likes(visit):
    ground = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)"
    light, dark = (visit(color_scheme=scheme).evaluate(ground) for scheme in ("light", "dark"))
    assert min(light) > 230
    assert max(dark) < 60


def test_what_changes_without_a_focus_is_announced(visit):
    tab = visit()
    for name in ("#neuron-result", "#digit", "#truth"):
        assert tab.get_attribute(name, "aria-live") == "polite"
    for chart in ("#output-chart", "#cost-chart"):
        described = tab.get_attribute(chart, "aria-describedby")
        assert tab.inner_text(f"#{described}") == "quadratic cost, η = 0.15"


def test_controls_have_names_and_the_keyboard_moves_them(visit):
    tab = visit(reduced_motion="reduce")
    unnamed = tab.evaluate(
        """Array.from(document.querySelectorAll("button, input")).filter((e) => !(e.ariaLabel ||
            e.textContent.trim() || e.closest("label")?.textContent.trim())).length"""
    )
    assert unnamed == 0
    tab.focus("#z4")
    before = float(tab.input_value("#z4"))
    tab.keyboard.press("ArrowRight")
    assert float(tab.input_value("#z4")) == pytest.approx(before + 0.1)
    tab.focus("#weight")
    tab.keyboard.press("Enter")  # Run
    wait_for_the_end(tab)
