import json

from turbovsr.train.plot import main, panels, read_log


def test_steps_done_again_count_once_and_a_torn_line_is_passed_over(tmp_path):
    lines = [{"step": 1, "loss": 3.0}, {"step": 2, "loss": 2.0}, {"step": 2, "loss": 2.5}]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, lines)) + '\n{"step": 3, "lo\n')
    assert read_log(tmp_path / "log.jsonl") == {"loss": {1: 3.0, 2: 2.5}}


def test_losses_and_scores_have_their_own_panels():
    drawn = panels(
        {"loss": {1: 1.0}, "city/none/lpips": {1: 0.3}, "city/none/psnr-y": {1: 24.0}, "samples/s": {1: 9.0}}
    )
    assert list(drawn) == ["losses", "lpips", "psnr-y", "samples/s"]
    assert list(panels({"loss": {1: 1.0}, "tokens/s": {1: 9.0}, "MFU": {1: 0.4}})) == ["losses", "tokens/s", "MFU"]
    assert drawn["lpips"] == {"city, none": {1: 0.3}}


def test_a_run_of_two_stages_is_drawn_and_an_empty_folder_is_one_clear_error(tmp_path, capsys):
    assert main([str(tmp_path)]) == 3 and "no log.jsonl" in capsys.readouterr().err
    for stage in ("regression", "joint"):
        (tmp_path / stage).mkdir()
        (tmp_path / stage / "log.jsonl").write_text('{"step": 1, "loss": 1.0}\n{"step": 2, "loss": 0.5, "lr": 0.1}\n')
    assert main([str(tmp_path)]) == 0
    assert (tmp_path / "training.png").stat().st_size > 5000
