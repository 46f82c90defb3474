"""Makes battery.pt and sample.json: `python make_model.py`, with torch 2.13.0.

The same version on the same kind of machine makes the same file.
"""

import json
import zipfile
from pathlib import Path

import torch

HERE = Path(__file__).parent

torch.manual_seed(0)
torch.set_num_threads(1)


class Charge(torch.nn.Module):
    """Percent of charge from volts, amperes, degrees Celsius and years."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
        self.register_buffer("middle", torch.tensor([3.7, 0.0, 20.0, 3.0]))
        self.register_buffer("spread", torch.tensor([0.3, 2.0, 15.0, 2.0]))

    def forward(self, measures):
        return 100 * torch.sigmoid(self.layers((measures - self.middle) / self.spread))


def measured(count):
    """Made-up measurements: the charge that a simple law gives."""
    low = torch.tensor([3.2, -4.0, -10.0, 0.0])
    high = torch.tensor([4.2, 4.0, 45.0, 8.0])
    rows = low + (high - low) * torch.rand(count, 4)
    volts, amperes, degrees, years = rows.unbind(1)
    return rows, 100 * torch.sigmoid(6 * (volts + 0.05 * amperes - 0.002 * (degrees - 20) - 3.7) - 0.08 * years)


model = Charge()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(600):
    rows, charge = measured(256)
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(rows).squeeze(1), charge).backward()
    optimizer.step()

# TorchScript holds the code along with the weights. torch.save would write the weights alone.
scripted = torch.jit.script(model.eval())
scripted.save(HERE / "whole.pt")

# Without the records for debugging, which hold the paths of the machine that trained it, and the archive's
# identifier, which is another each time.
with zipfile.ZipFile(HERE / "whole.pt") as whole, zipfile.ZipFile(HERE / "battery.pt", "w") as bare:
    for name in whole.namelist():
        if not name.endswith((".debug_pkl", "serialization_id")):
            bare.writestr(zipfile.ZipInfo(name.replace("whole/", "battery/", 1)), whole.read(name))
(HERE / "whole.pt").unlink()

rows = torch.tensor([[4.1, 0.0, 20.0, 1.0], [3.7, -1.5, 5.0, 4.0], [3.3, 2.0, 35.0, 7.0]])
outputs = torch.jit.load(HERE / "battery.pt")(rows)
sample = {
    "inputs": [{"input": [round(each, 3) for each in row]} for row in rows.tolist()],
    "outputs": [{"output": [round(each, 3) for each in row]} for row in outputs.tolist()],
}
(HERE / "sample.json").write_text(json.dumps(sample, indent=2) + "\n")
