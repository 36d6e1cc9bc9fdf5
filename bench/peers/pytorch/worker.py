"""The benchmark's work in PyTorch. Requests and replies are lines of JSON on stdin and stdout.

Inputs are raw little-endian files in a folder with a manifest. Images are [batch, height, width, channels] in memory,
which is PyTorch's own `channels_last` once the axes are permuted.
"""
import json
import os
import sys
import time

import torch
import torch.nn.functional as F

cuda = torch.cuda.is_available()
device = torch.device("cuda" if cuda else "cpu")
first = lambda x: x.permute(0, 3, 1, 2)  # channels first, without moving anything
last = lambda x: x.permute(0, 2, 3, 1)


def with_gradients(f, leaves, dy, names):
    leaves = [leaf.detach().requires_grad_() for leaf in leaves]

    def run():
        y = f(*leaves)
        return dict(zip(["y", *names], [y, *torch.autograd.grad(y, leaves, dy)]))

    return run


def resnet(p, x):
    def conv_norm(x, conv, norm, stride, padding):
        x = F.conv2d(x, first(p[conv + ".weight"]), None, stride, padding)
        parts = [p[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *parts, training=False)

    x = F.max_pool2d(F.relu(conv_norm(first(x), "conv1", "bn1", 2, 3)), 3, 2, 1)
    for stage, count in enumerate([3, 4, 6, 3]):
        for i in range(count):
            name, stride = f"layer{stage + 1}.{i}", 2 if i == 0 and stage > 0 else 1
            short = conv_norm(x, f"{name}.downsample.0", f"{name}.downsample.1", stride, 0) if i == 0 else x
            y = F.relu(conv_norm(x, f"{name}.conv1", f"{name}.bn1", 1, 0))
            y = F.relu(conv_norm(y, f"{name}.conv2", f"{name}.bn2", stride, 1))
            x = F.relu(conv_norm(y, f"{name}.conv3", f"{name}.bn3", 1, 0) + short)
    return x.mean((2, 3))


def cnn(p, x):
    x = first(x)
    for i in (1, 2, 3):
        x = F.conv2d(x, first(p[f"conv{i}.weight"]), None, 1 if i == 1 else 2, 1)
        x = F.relu(F.batch_norm(x, None, None, p[f"bn{i}.weight"], p[f"bn{i}.bias"], training=True))
    return F.linear(x.mean((2, 3)), p["fc.weight"], p["fc.bias"])


def encoder(p, x, heads=4):
    linear = lambda x, name: F.linear(x, p[name + ".weight"], p[name + ".bias"])
    norm = lambda x, name: F.layer_norm(x, x.shape[-1:], p[name + ".weight"], p[name + ".bias"])
    batch, tokens, hidden = x.shape
    for i in range(2):
        name = f"layer.{i}"
        split = lambda part: linear(x, f"{name}.attention.self.{part}").view(batch, tokens, heads, -1).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(split("query"), split("key"), split("value"))
        mixed = mixed.transpose(1, 2).reshape(batch, tokens, hidden)
        attended = norm(linear(mixed, f"{name}.attention.output.dense") + x, f"{name}.attention.output.LayerNorm")
        wide = F.gelu(linear(attended, f"{name}.intermediate.dense"))
        x = norm(linear(wide, f"{name}.output.dense") + attended, f"{name}.output.LayerNorm")
    return linear(x.mean(1), "classifier")


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=True if cuda else None)


def train_step(network, t):
    x, labels = t.pop("x"), t.pop("labels").long()
    p = {name: value.requires_grad_() for name, value in t.items()}
    optimizer = adam(p.values())

    def run():
        optimizer.zero_grad()
        loss = F.cross_entropy(network(p, x).float(), labels)
        loss.backward()
        optimizer.step()
        return {"loss": loss.reshape(1)}

    return run


def adam_25m(t):
    values = t["values"].requires_grad_()
    values.grad = t["grads"]
    optimizer = adam([values])

    def run():
        optimizer.step()
        return {"values": values}

    return run


def chain(t):
    def run():
        x = t["x"]
        for _ in range(1000):
            x = x + t["step"]
        return {"y": x}

    return run


def norm_work(f, t):
    return with_gradients(f, [t["x"], t["weight"], t["bias"]], t["dy"], ["dx", "dWeight", "dBias"])


def work(name, t):
    conv = lambda stride, padding: last(F.conv2d(first(t["x"]), first(t["w"]), None, stride, padding))
    grad = torch.nn.grad
    batch_norm = lambda x, w, b: last(F.batch_norm(first(x), None, None, w, b, training=True))
    makers = {
        "matmul 512": lambda: lambda: {"y": t["a"] @ t["b"]},
        "conv 3x3": lambda: lambda: {"y": conv(1, 1)},
        "conv 3x3 input gradient": lambda: lambda: {
            "dx": last(grad.conv2d_input(first(t["x"]).shape, first(t["w"]), first(t["dy"]), 1, 1))
        },
        "conv 3x3 weight gradient": lambda: lambda: {
            "dw": last(grad.conv2d_weight(first(t["x"]), first(t["w"]).shape, first(t["dy"]), 1, 1))
        },
        "conv 7x7 stem": lambda: lambda: {"y": conv(2, 3)},
        "batch norm": lambda: norm_work(batch_norm, t),
        "layer norm": lambda: norm_work(lambda x, w, b: F.layer_norm(x, x.shape[-1:], w, b), t),
        "attention": lambda: lambda: {"y": F.scaled_dot_product_attention(t["q"], t["k"], t["v"])},
        "attention backward": lambda: with_gradients(
            F.scaled_dot_product_attention, [t["q"], t["k"], t["v"]], t["dy"], ["dq", "dk", "dv"]
        ),
        "softmax": lambda: lambda: {"y": torch.softmax(t["x"], -1)},
        "tiny operations": lambda: chain(t),
        "small CNN step": lambda: train_step(cnn, t),
        "ResNet-50 forward": lambda: lambda: {"y": resnet(t, t["x"])},
        "Adam 25M": lambda: adam_25m(t),
        "transformer step": lambda: train_step(encoder, t),
    }
    run = makers[name]()
    forward_only = not any(word in name for word in ("step", "norm", "backward"))

    def guarded():
        with torch.inference_mode(forward_only and name != "Adam 25M"):
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=mode == "amp"):
                return run()

    return guarded


def load(folder):
    with open(os.path.join(folder, "manifest.json"), encoding="utf8") as file:
        manifest = json.load(file)
    tensors = {}
    for entry in manifest:
        dtype = torch.int32 if entry["dtype"] == "i32" else torch.float32
        count = 1
        for size in entry["shape"]:
            count *= size
        flat = torch.from_file(os.path.join(folder, entry["file"]), size=count, dtype=dtype)
        tensors[entry["name"]] = flat.clone().view(entry["shape"]).to(device)
    return tensors


def synchronize():
    if cuda:
        torch.cuda.synchronize()


def timed(run, runs):
    begin = time.perf_counter()
    for _ in range(runs):
        results = run()
    synchronize()
    return 1000 * (time.perf_counter() - begin), results


def sampled(tensor, most):
    flat = tensor.detach().float().contiguous().reshape(-1)
    count = min(flat.numel(), most)
    index = torch.arange(count, device=device) * flat.numel() // count
    return {"length": flat.numel(), "samples": flat[index].cpu().tolist()}


def prepare(request):
    run = work(request["workload"], load(request["folder"]))
    first_ms, results = timed(run, 1)
    losses = []
    for i in range(request["checkedRuns"]):
        if i > 0:
            _, results = timed(run, 1)
        if "loss" in results:
            losses.append(results["loss"].item())
    checked = {"losses": torch.tensor(losses, device=device)} if losses else results
    reply = {"results": {name: sampled(value, request["maxSamples"]) for name, value in checked.items()}}
    precision = {"fp32": "float32", "tf32": "float32 with TF32 products", "amp": "autocast to bfloat16"}[mode]
    note = f"eager, {precision}, on {'CUDA' if cuda else 'the CPU'}"
    once_ms, _ = timed(run, 1)
    return run, {**reply, "kind": "prepared", "note": note, "firstMs": first_ms, "onceMs": once_ms}


def main():
    global mode
    run = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["kind"] == "start":
                mode = request["mode"]
                if mode != "fp32" and not cuda:
                    raise RuntimeError("This precision is only measured on CUDA.")
                torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = mode == "tf32"
                where = torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
                reply = {"kind": "started", "version": f"{torch.__version__} ({where})"}
            elif request["kind"] == "prepare":
                run = None
                run, reply = prepare(request)
            elif request["kind"] == "time":
                ms, _ = timed(run, request["runs"])
                reply = {"kind": "timed", "ms": ms / request["runs"]}
            else:
                run = None
                reply = {"kind": "disposed"}
        except Exception as error:  # every failure is an answer
            reply = {"kind": "failed", "reason": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


mode = "fp32"
main()
