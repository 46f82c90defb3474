from __future__ import annotations

import ast
import copy
import json
from enum import Enum
from pathlib import Path

import pytest

from hatch_wallaroo.bundle.plan import FAMILIES
from hatch_wallaroo.releases import load
from hatch_wallaroo.releases.load import ReleaseDataError, UnknownReleaseError, known, merge, parse_release, resolve
from support.peers import peer, run_in

GUIDE = [
    "onnx",
    "tensorflow",
    "python",
    "keras",
    "sklearn",
    "pytorch",
    "xgboost",
    "hugging-face-feature-extraction",
    "hugging-face-image-classification",
    "hugging-face-image-segmentation",
    "hugging-face-image-to-text",
    "hugging-face-object-detection",
    "hugging-face-question-answering",
    "hugging-face-stable-diffusion-text-2-img",
    "hugging-face-summarization",
    "hugging-face-text-classification",
    "hugging-face-translation",
    "hugging-face-zero-shot-classification",
    "hugging-face-zero-shot-image-classification",
    "hugging-face-zero-shot-object-detection",
    "hugging-face-sentiment-analysis",
    "hugging-face-text-generation",
]
SPEECH = "hugging-face-automatic-speech-recognition"


class TestResolve:
    def test_knows_all_releases_in_order(self):
        assert known() == ("2023.2.1", "2023.4", "2024.1", "2024.2", "2024.4", "2025.1", "2025.2", "2026.1")

    @pytest.mark.parametrize("version", known())
    def test_a_known_release_is_exact(self, version):
        release = resolve(version)
        assert (release.asked, release.version, release.exact) == (version, version, True)

    @pytest.mark.parametrize(
        ("asked", "version"),
        [
            ("2023.2", "2023.2.1"),
            ("2023.2.4", "2023.2.1"),
            ("2023.3", "2023.2.1"),
            ("2023.3.1", "2023.2.1"),
            ("2023.4.2", "2023.4"),
            ("2024.1.0", "2024.1"),
            ("2024.3", "2024.2"),
            ("2024.3.3", "2024.2"),
            ("2025.2.4", "2025.2"),
            ("2025.9", "2025.2"),
            ("2026.1.3", "2026.1"),
        ],
    )
    def test_a_release_without_data_is_answered_by_the_one_before_it(self, asked, version):
        release = resolve(asked)
        assert (release.asked, release.version, release.exact) == (asked, version, False)

    @pytest.mark.parametrize(
        ("asked", "nearest"),
        [
            ("2023.1", "2023.2.1"),
            ("2023.2.0", "2023.2.1"),
            ("2022.4", "2023.2.1"),
            ("2024.0", "2023.4"),
            ("2027.1", "2026.1"),
            ("2099.1", "2026.1"),
            ("9999.1", None),
            ("2024", "2024.1"),
            ("2024-4", "2024.4"),
            ("v2024.1", "2024.1"),
            ("2024.01", "2024.1"),
            (" 2024.1", "2024.1"),
            ("2024.1\n", "2024.1"),
            ("2025.2.4.1", "2025.2"),
            ("banana", None),
            ("", None),
            ("٢٠٢٤.١", None),
            ("2024." + "1" * 10_000, None),
            (None, None),
            (2024.1, None),
            ([], None),
        ],
    )
    def test_what_nothing_answers_is_refused(self, asked, nearest):
        with pytest.raises(UnknownReleaseError) as caught:
            resolve(asked)
        if isinstance(asked, str):
            assert caught.value.asked == asked
        if len(str(asked)) < 100:
            assert caught.value.nearest == nearest
        assert "2023.2.1, 2023.4" in str(caught.value)

    def test_what_is_given_out_is_the_callers_own(self):
        first = resolve("2026.1")
        first.frameworks["custom"].default_config["model_path"] = "elsewhere"
        first.frameworks.clear()
        assert resolve("2026.1").frameworks["custom"].default_config == {"model_path": "./model/"}


class TestData:
    """The facts, as tables."""

    def test_2023_2_1_has_the_guides_frameworks(self):
        assert set(resolve("2023.2.1").frameworks) == {*GUIDE, "custom", "mlflow"}

    @pytest.mark.parametrize(
        ("version", "added"),
        [
            ("2023.4", {SPEECH}),
            ("2024.1", {SPEECH}),
            ("2024.2", {SPEECH}),
            ("2024.4", {SPEECH}),
            ("2025.1", {SPEECH, "vllm"}),
            ("2025.2", {SPEECH, "vllm"}),
            ("2026.1", {SPEECH, "vllm", "sglang"}),
        ],
    )
    def test_later_releases_add_frameworks(self, version, added):
        assert set(resolve(version).frameworks) == {*GUIDE, "custom", "mlflow", *added}

    @pytest.mark.parametrize("version", known())
    def test_rows_agree_with_themselves(self, version):
        release = resolve(version)
        assert release.python_version in release.python_versions
        for name, row in release.frameworks.items():
            assert row.name == name
            assert row.family in FAMILIES
            assert (row.family == "hugging-face") == (row.task is not None)
            assert row.task is None or name == f"hugging-face-{row.task}"
            assert (row.schemas == "required") == (row.route == "upload_and_convert")
            if row.default_config is not None and row.config_keys is not None:
                assert set(row.default_config) <= set(row.config_keys)
        assert ("framework_config" in release.conversion_keys) == any(
            row.default_config is not None for row in release.frameworks.values()
        )
        assert ("accel" in release.conversion_keys) == bool(release.accelerators)
        assert ("arch" in release.conversion_keys) == bool(release.architectures)
        for accelerator, architectures in release.accelerators.items():
            assert set(architectures) <= set(release.architectures), accelerator
        assert set(release.accelerator_configs) <= set(release.accelerators)

    @pytest.mark.parametrize("version", known())
    def test_every_family_of_a_file_has_frameworks(self, version):
        used = {row.family for row in resolve(version).frameworks.values()}
        assert set(load._document(version, None)["families"]) == used

    @pytest.mark.parametrize(
        ("framework", "libraries"),
        [
            ("onnx", {"onnx": "1.12.1"}),
            ("tensorflow", {"tensorflow": "2.9.1"}),
            ("keras", {"tensorflow": "2.8.0", "keras": "1.1.0"}),
            ("sklearn", {"scikit-learn": "1.2.2"}),
            ("xgboost", {"xgboost": "1.7.4"}),
            ("pytorch", {"torch": "1.13.1", "torchvision": "0.14.1"}),
            (
                "hugging-face-translation",
                {
                    "transformers": "4.27.0",
                    "diffusers": "0.14.0",
                    "accelerate": "0.18.0",
                    "torchvision": "0.14.1",
                    "torch": "1.13.1",
                },
            ),
            ("mlflow", {"mlflow": "1.30.0"}),
            ("custom", {}),
            ("python", {}),
        ],
    )
    def test_the_guides_libraries(self, framework, libraries):
        assert resolve("2023.2.1").frameworks[framework].libraries == libraries

    @pytest.mark.parametrize(
        ("version", "framework", "libraries"),
        [
            ("2023.4", "tensorflow", {"tensorflow": "2.9.3"}),
            ("2023.4", "hugging-face-translation", {}),
            ("2023.4", "pytorch", {}),
            ("2023.4", "sklearn", {"scikit-learn": "1.2.2"}),
            ("2024.1", "sklearn", {"scikit-learn": "1.3.0"}),
            ("2024.3", "xgboost", {"xgboost": "1.7.4", "scikit-learn": "1.3.0"}),
            ("2026.1", "xgboost", {"xgboost": "2.1.0", "scikit-learn": "1.3.0"}),
            ("2026.1", "onnx", {"onnx": "1.12.1"}),
        ],
    )
    def test_libraries_of_later_releases(self, version, framework, libraries):
        assert resolve(version).frameworks[framework].libraries == libraries

    @pytest.mark.parametrize(
        ("version", "runtime", "route", "schemas", "step"),
        [
            ("2023.2.1", "native", "upload", "none", "wallaroo_json"),
            ("2023.4", "native", "upload", "none", "wallaroo_json"),
            ("2024.1", "containerized", "upload_and_convert", "required", "process_data"),
            ("2026.1", "containerized", "upload_and_convert", "required", "process_data"),
        ],
    )
    def test_python_steps_change_in_2024_1(self, version, runtime, route, schemas, step):
        release = resolve(version)
        row = release.frameworks["python"]
        assert (row.runtime, row.route, row.schemas, release.python_step) == (runtime, route, schemas, step)

    @pytest.mark.parametrize("version", known())
    @pytest.mark.parametrize("framework", ["onnx", "tensorflow"])
    def test_native_frameworks_go_to_upload_without_schemas(self, version, framework):
        row = resolve(version).frameworks[framework]
        assert (row.runtime, row.route, row.schemas) == ("native", "upload", "none")

    @pytest.mark.parametrize("version", known())
    def test_an_mlflow_image_is_registered_with_three_keys(self, version):
        row = resolve(version).frameworks["mlflow"]
        assert (row.runtime, row.route, row.schemas) == ("containerized", "upload", "optional")
        assert row.conversion_keys == ("framework", "python_version", "requirements")

    @pytest.mark.parametrize(
        ("asked", "validator", "asynchronous", "service", "required"),
        [
            ("2023.2.1", False, False, "mlflow", False),
            ("2023.4", False, False, "flight", False),
            ("2024.3", False, False, "flight", False),
            ("2024.4", False, True, "flight", False),
            ("2025.1.6", False, True, "flight", False),
            ("2025.2", True, True, "flight", True),
            ("2025.2.1", True, True, "flight", True),
            ("2025.2.2", True, True, "flight", True),
            ("2025.2.5", True, True, "flight", True),
            ("2025.2.17", True, True, "flight", True),
            ("2025.3.1", True, True, "flight", True),
            ("2026.1", True, True, "flight", True),
            ("2026.1.0", True, True, "flight", True),
        ],
    )
    def test_byop(self, asked, validator, asynchronous, service, required):
        byop = resolve(asked).byop
        assert byop.validator is validator
        assert byop.asynchronous is asynchronous
        assert (byop.service, byop.requirements_required) == (service, required)

    @pytest.mark.parametrize(
        ("asked", "lenient"),
        [("2024.4", False), ("2025.2.0", True), ("2025.2.1", True), ("2025.2.2", False), ("2025.2", False)],
    )
    def test_the_validator_of_two_patches(self, asked, lenient):
        assert resolve(asked).byop.lenient_validator is lenient

    @pytest.mark.parametrize(
        ("asked", "tools"),
        [("2025.2.5", False), ("2026.1.0", False), ("2026.1.2", False), ("2026.1.3", True), ("2026.1", True)],
    )
    def test_the_patch_that_brought_tools_to_vllm(self, asked, tools):
        keys = {"enable_auto_tool_choice", "tool_call_parser"}
        assert keys & set(resolve(asked).frameworks["vllm"].config_keys) == (keys if tools else set())

    @pytest.mark.parametrize("version", known())
    def test_whose_requirements_are_installed(self, version):
        rows = resolve(version).frameworks.values()
        steps = {"python"} if resolve(version).python_step == "process_data" else set()
        assert {row.family for row in rows if row.requirements} == {"custom", "mlflow"} | steps

    @pytest.mark.parametrize("version", known())
    def test_whose_upload_is_a_zip(self, version):
        rows = resolve(version).frameworks.values()
        others = {"python": version >= "2024.1", "llm": version >= "2025.1"}
        expected = {"custom", "hugging-face", "tensorflow", *(name for name, zipped in others.items() if zipped)}
        assert {row.family for row in rows if row.zipped} == expected

    @pytest.mark.parametrize("version", known())
    def test_forms_of_a_model(self, version):
        forms = {row.family: row.file_forms for row in resolve(version).frameworks.values() if row.file_forms}
        assert forms == {"keras": ("saved-model", "h5")}

    @pytest.mark.parametrize("version", known())
    def test_the_signature_of_python_steps(self, version):
        expected = "annotations" if version < "2024.4" else "exact"
        assert resolve(version).python_step_signature == expected

    @pytest.mark.parametrize(
        ("version", "python", "pyarrow", "numpy", "pandas"),
        [
            ("2023.2.1", "3.8", "9.0.0", "1.22.3", "1.3.4"),
            ("2023.4", "3.8", "12.0.1", "1.22.3", "1.3.4"),
            ("2024.3", "3.8", "12.0.1", "1.22.3", "1.3.4"),
            ("2024.4", "3.10", "14.0.0", "1.26.0", "2.2.0"),
            ("2025.1", "3.10", "14.0.1", "1.26.0", "2.2.0"),
            ("2026.1", "3.10", "14.0.1", "1.26.0", "2.2.0"),
        ],
    )
    def test_what_the_platform_runs(self, version, python, pyarrow, numpy, pandas):
        release = resolve(version)
        assert release.python == python
        assert release.sdk == {"pyarrow": pyarrow, "numpy": numpy, "pandas": pandas}
        assert (release.python_versions, release.python_version) == (("3.8", "3.9"), "3.8")

    @pytest.mark.parametrize(
        ("asked", "numpy", "member_names", "abstract_builder"),
        [
            ("2023.2.1", "1.24", False, False),
            ("2023.4", "1.24", False, False),
            ("2024.1", "1.24", True, False),
            ("2024.4", "2.2", True, False),
            ("2025.1", "2.2", True, True),
            ("2026.1", "2.2", True, True),
        ],
    )
    def test_what_inference_code_meets(self, asked, numpy, member_names, abstract_builder):
        release = resolve(asked)
        assert release.last_numpy == numpy
        assert (release.byop.member_names, release.byop.abstract_builder) == (member_names, abstract_builder)

    @pytest.mark.parametrize(
        ("version", "loads", "config", "nested_lists", "error_summary"),
        [
            ("2023.2.1", False, False, False, False),
            ("2023.4", True, False, False, False),
            ("2024.1", True, False, False, False),
            ("2024.2", True, True, False, False),
            ("2024.4", True, True, True, False),
            ("2025.1", True, True, True, False),
            ("2025.2", True, True, True, True),
            ("2026.1", True, True, True, True),
        ],
    )
    def test_what_the_api_answers(self, version, loads, config, nested_lists, error_summary):
        api = resolve(version).api
        assert (api.config, api.nested_lists, api.error_summary) == (config, nested_lists, error_summary)
        assert api.file_size is loads
        assert ("attempting_load_native" in api.native_statuses) is loads
        assert ("attempting_load_container" in api.container_statuses) is loads
        assert ("converting" in api.native_statuses) is ("converting" in api.container_statuses) is not loads

    @pytest.mark.parametrize(
        ("asked", "anomaly_count", "plain_errors"),
        [
            ("2023.2.1", False, False),
            ("2023.4.0", False, False),
            ("2023.4.2", True, False),
            ("2023.4", True, False),
            ("2024.1", True, True),
            ("2026.1.3", True, True),
        ],
    )
    def test_what_an_inference_answers(self, asked, anomaly_count, plain_errors):
        api = resolve(asked).api
        assert (api.anomaly_count, api.plain_errors) == (anomaly_count, plain_errors)

    @pytest.mark.parametrize("version", known())
    def test_onnx(self, version):
        support = resolve(version).onnx
        assert (support.onnx, support.ir, support.opset, support.ml_opset) == ("1.12.1", 8, 17, 3)

    @pytest.mark.parametrize(
        ("version", "keys"),
        [
            ("2023.2.1", "framework python_version requirements"),
            ("2023.4", "arch framework python_version requirements"),
            ("2024.2", "arch accel framework python_version requirements"),
            ("2025.1", "arch accel framework framework_config python_version requirements"),
            ("2026.1", "arch accel framework framework_config python_version requirements"),
        ],
    )
    def test_conversion_keys(self, version, keys):
        assert resolve(version).conversion_keys == tuple(keys.split())

    @pytest.mark.parametrize(
        ("version", "accelerators"),
        [
            ("2023.4", ""),
            ("2024.1", "none aio cuda jetson"),
            ("2024.2", "none aio cuda jetson openvino"),
            ("2024.4", "none cuda jetson openvino"),
            ("2025.1", "none cuda jetson openvino qaic"),
            ("2026.1", "none cuda jetson openvino qaic rocm"),
        ],
    )
    def test_accelerators(self, version, accelerators):
        assert set(resolve(version).accelerators) == set(accelerators.split())

    @pytest.mark.parametrize(
        ("version", "arch", "accel"),
        [
            ("2023.2.1", None, None),
            ("2023.4", None, None),
            *((version, "x86", "none") for version in ("2024.1", "2024.2", "2024.4", "2025.1", "2025.2", "2026.1")),
        ],
    )
    def test_default_architecture_and_accelerator(self, version, arch, accel):
        release = resolve(version)
        assert (release.default_arch, release.default_accel) == (arch, accel)

    def test_xgbranker_is_refused_from_2024_1_on(self):
        assert not resolve("2023.4").frameworks["xgboost"].refused_classes
        for version in ("2024.1", "2026.1"):
            assert "2024.1" in resolve(version).frameworks["xgboost"].refused_classes["XGBRanker"]


def document():
    return copy.deepcopy(load._document("2026.1", None))


def parsed(changed):
    return parse_release(changed, asked="2026.1", version="2026.1")


class TestStrictness:
    """Data files are read strictly: a slip in one is an error, not a release that behaves oddly."""

    @pytest.mark.parametrize(
        ("path", "value", "named"),
        [
            (("pyton",), "3.8", "unknown key pyton"),
            (("asked",), "2026.1", "asked"),
            (("onnx", "opsets"), 17, "unknown key onnx.opsets"),
            (("byop", "async"), True, "unknown key byop.async"),
            (("frameworks", "onnx", "librarys"), {}, "unknown key frameworks.onnx.librarys"),
            (("families", "keras", "runtimes"), "native", "unknown key frameworks.keras.runtimes"),
            (("frameworks", "onnx", "family"), "onyx", "frameworks.onnx.family: 'onyx'"),
            (("families", "onnx", "runtime"), "containers", "frameworks.onnx.runtime: 'containers'"),
            (("onnx", "opset"), "17", "onnx.opset: '17'"),
            (("onnx", "opset"), True, "onnx.opset: True"),
            (("byop", "validator"), 1, "byop.validator: 1"),
            (("families", "keras", "file-forms"), ["h5", "kears"], "frameworks.keras.file-forms"),
            (("families", "keras", "file-forms"), "h5", "frameworks.keras.file-forms"),
            (("families", "custom", "requirements"), "yes", "frameworks.custom.requirements: 'yes'"),
            (("python-versions",), "3.8", "python-versions: '3.8'"),
            (("accelerators", "cuda"), "x86", "accelerators"),
            (("sdk", "numpy"), 1.26, "sdk"),
            (("frameworks",), [], "frameworks must be a table"),
            (("byop",), None, "byop must be a table"),
        ],
    )
    def test_what_does_not_belong_is_named(self, path, value, named):
        changed = document()
        *tables, last = path
        inner = changed
        for name in tables:
            inner = inner[name]
        inner[last] = value
        with pytest.raises(ReleaseDataError, match=named.replace(".", r"\.")) as caught:
            parsed(changed)
        assert str(caught.value).startswith("2026.1: ")

    @pytest.mark.parametrize("key", ["python", "onnx", "byop", "frameworks", "families", "conversion-keys"])
    def test_what_is_missing_is_named(self, key):
        changed = document()
        del changed[key]
        with pytest.raises(ReleaseDataError, match=key):
            parsed(changed)

    def test_a_base_must_exist_and_not_be_itself(self, monkeypatch):
        for base in ("2026.1", "2020.1", 5):
            monkeypatch.setattr(load, "_file", lambda version, base=base: {"base": base})
            with pytest.raises(ReleaseDataError, match="base"):
                resolve("2026.1")

    def test_only_what_is_there_can_be_removed(self, monkeypatch):
        monkeypatch.setattr(load, "_file", lambda version: {"remove": ["accelerators.aio"]})
        with pytest.raises(ReleaseDataError, match=r"nothing to remove at 'accelerators\.aio'"):
            resolve("2026.1")

    def test_merging_shares_nothing(self):
        base = {"a": {"b": [1], "c": 1}, "d": 1}
        over = {"a": {"b": [2], "e": {"f": 1}}}
        merged = merge(base, over)
        assert merged == {"a": {"b": [2], "c": 1, "e": {"f": 1}}, "d": 1}
        merged["a"]["b"].append(3)
        merged["a"]["e"]["f"] = 2
        assert base == {"a": {"b": [1], "c": 1}, "d": 1}
        assert over == {"a": {"b": [2], "e": {"f": 1}}}

    def test_adding_a_release_is_adding_a_file(self, monkeypatch, tmp_path):
        (tmp_path / "data").mkdir()
        for version in known():
            text = (Path(load.__file__).parent / "data" / f"{version}.toml").read_text(encoding="utf-8")
            (tmp_path / "data" / f"{version}.toml").write_text(text, encoding="utf-8")
        new = 'base = "2026.1"\nremove = ["frameworks.sglang"]\n[frameworks]\nnew-thing = { family = "llm" }\n'
        (tmp_path / "data" / "2027.1.toml").write_text(new, encoding="utf-8")
        monkeypatch.setattr(load, "_DATA", tmp_path / "data")
        load._file.cache_clear()
        try:
            release = resolve("2027.1.2")
            assert release.version == "2027.1"
            assert "new-thing" in release.frameworks
            assert "sglang" not in release.frameworks
        finally:
            load._file.cache_clear()

    @pytest.mark.parametrize(
        ("value", "hint", "expected"),
        [
            ("a", str, True),
            (1, str, False),
            (True, int, False),
            (None, str | None, True),
            ((), tuple[str, ...], True),
            (("a", 1), tuple[str, ...], False),
            (["a"], tuple[str, ...], False),
        ],
    )
    def test_fits(self, value, hint, expected):
        assert load.fits(value, hint) is expected


SDKS = {
    "2023.2.1": "mac-2023.2.1",
    "2023.4.2": "sdk-2023.4.2",
    "2024.1.0": "sdk-2024.1.0",
    "2024.2.2": "sdk-2024.2.2",
    "2024.3.3": "sdk-2024.3.3",
    "2024.4.4": "sdk-2024.4.4",
    "2025.1.1": "sdk-2025.1.1",
    "2025.2.5": "mac-2025.2.5",
    "2026.1.3": "mac-2026.1.3",
}


class Sdk:
    """The sources of one official SDK, read without running it."""

    def __init__(self, name: str) -> None:
        (self.home,) = peer(name).parent.parent.glob("lib/python3.*/site-packages")

    def tree(self, path: str) -> ast.Module:
        return ast.parse((self.home / path).read_text(encoding="utf-8"))

    def strings(self, path: str, name: str) -> list[str]:
        """The values of an enum."""
        (found,) = (node for node in self.tree(path).body if isinstance(node, ast.ClassDef) and node.name == name)
        return [ast.literal_eval(node.value) for node in found.body if isinstance(node, ast.Assign)]

    def enums(self, path: str, *names: str) -> list[type[Enum]]:
        """Enums of a module, made without the rest of it."""
        body = [node for node in self.tree(path).body if isinstance(node, ast.ClassDef) and node.name in names]
        future = ast.parse("from __future__ import annotations").body
        made: dict[str, object] = {"Enum": Enum}
        exec(compile(ast.Module([*future, *body], []), path, "exec"), made)
        return [made[name] for name in names if name in made]

    def streamed(self) -> list[str]:
        """The frameworks whose uploads take the `upload` route."""
        for node in self.tree("wallaroo/client.py").body:
            if isinstance(node, ast.Assign) and node.targets[0].id == "UPLOAD_MODEL_STREAM_SUPPORTED_FLAVORS":
                return [each.attr.lower() for each in node.value.elts]
        raise AssertionError

    def pins(self) -> dict[str, str]:
        (metadata,) = self.home.glob("wallaroo-*.dist-info/METADATA")
        lines = metadata.read_text(encoding="utf-8").splitlines()
        pinned = [line.removeprefix("Requires-Dist: ").split("==") for line in lines if "==" in line]
        return {name: version for name, version in pinned if name in {"pyarrow", "numpy", "pandas"}}


@pytest.fixture(scope="module", params=SDKS)
def sdk(request):
    return request.param, Sdk(SDKS[request.param])


@pytest.mark.peer
class TestAgainstTheSdks:
    """Each release's data against the official SDK of that release."""

    @pytest.mark.peer
    def test_frameworks(self, sdk):
        version, sources = sdk
        assert set(resolve(version).frameworks) - {"mlflow"} == set(
            sources.strings("wallaroo/framework.py", "Framework")
        )

    @pytest.mark.peer
    def test_routes_and_schemas(self, sdk):
        version, sources = sdk
        rows = resolve(version).frameworks.values()
        streamed = {row.name for row in rows if row.route == "upload" and row.name != "mlflow"}
        assert streamed == set(sources.streamed())
        assert streamed == {row.name for row in rows if row.schemas == "none" and row.name != "mlflow"}

    @pytest.mark.peer
    def test_python_versions_and_pins(self, sdk):
        version, sources = sdk
        release = resolve(version)
        path = "wallaroo/wallaroo_ml_ops_api_client/models/python_version.py"
        assert list(release.python_versions) == sources.strings(path, "PythonVersion")
        assert release.sdk == sources.pins()
        client = (sources.home / "wallaroo/client.py").read_text(encoding="utf-8")
        assert f'DEFAULT_MODEL_CONVERSION_PYTHON_VERSION = "{release.python_version}"\n' in client

    @pytest.mark.peer
    def test_conversion_keys(self, sdk):
        version, sources = sdk
        wanted = {"framework", "python_version", "requirements"}
        dicts = [node for node in ast.walk(sources.tree("wallaroo/client.py")) if isinstance(node, ast.Dict)]
        keys = [tuple(each.value for each in node.keys if isinstance(each, ast.Constant)) for node in dicts]
        release = resolve(version)
        image = release.frameworks["mlflow"].conversion_keys
        assert {each for each in keys if wanted <= set(each)} == {release.conversion_keys, image}

    def test_architectures_and_accelerators(self, sdk):
        version, sources = sdk
        release = resolve(version)
        made = sources.enums("wallaroo/engine_config.py", "Architecture", "Acceleration")
        architecture = [each.value for each in made[0]] if made and release.architectures else []
        assert sorted(release.architectures) == sorted(architecture)
        applicable = {}
        if len(made) > 1:
            for accelerator in made[1]:
                applicable[accelerator.value] = {each.value for each in made[0] if accelerator.is_applicable(each)}
        assert {name: set(each) for name, each in release.accelerators.items()} == applicable

    def test_byop(self, sdk):
        version, sources = sdk
        byop = resolve(version).byop
        assert byop.asynchronous == (sources.home / "mac/inference/async_inference.py").exists()
        assert byop.validator == (sources.home / "mac/validation").exists()
        assert (byop.service == "flight") == (sources.home / "mac/service/arrow_flight").exists()

    def test_the_signature_of_python_steps(self, sdk):
        version, sources = sdk
        release = resolve(version)
        loader = sources.home / "mac/io/custom_step_loaders.py"
        assert loader.exists() == (release.python_step == "process_data")
        if loader.exists():
            counts = "len(input_args) == 1" in loader.read_text(encoding="utf-8")
            assert counts == (release.python_step_signature == "exact")


CONFIGS = """
import json, sys
from wallaroo.engine_config import Acceleration, Architecture
from wallaroo.framework import Framework
made = {}
for each in Framework:
    config = each.get_default_config()
    if config is not None:
        fields = sorted(type(config).model_fields)
        made[each.value] = [config.to_dict()["config"], fields, type(config).model_config["extra"]]
qaic = Acceleration.QAIC.default_acceleration_with_config().to_dict()
json.dump([made, qaic, Acceleration.default().value], sys.stdout)
"""


@pytest.mark.peer
@pytest.mark.parametrize(("asked", "name"), [("2025.2.5", "mac-2025.2.5"), ("2026.1.3", "mac-2026.1.3")])
def test_default_configurations_are_the_sdks(asked, name):
    done = run_in(name, ["-W", "ignore", "-c", CONFIGS])
    assert done.returncode == 0, done.stderr
    configs, qaic, accelerator = json.loads(done.stdout)
    release = resolve(asked)
    rows = release.frameworks.values()
    assert {row.name: row.default_config for row in rows if row.default_config} == {
        framework: config for framework, (config, _, _) in configs.items()
    }
    for framework, (_, keys, extra) in configs.items():
        row = release.frameworks[framework]
        assert row.config_keys == (tuple(keys) if extra == "forbid" else None)
        assert list(row.default_config) == list(configs[framework][0]), "the order in which they are sent"
    assert release.accelerator_configs == qaic
    assert list(release.accelerator_configs["qaic"]) == list(qaic["qaic"])
    assert release.default_accel == accelerator
