"""The engine's memory computed once more, layer by layer, with nothing of the project's code.

A model is a list of plain dictionaries, one for each layer, in which a kind stands beside
its figures. Layers are dealt to groups one by one, and blocks are counted as the steps of a
range. It follows the method's words; no part of it was taken from the code that it checks.
Where the words say nothing, a comment names what the engine does.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any

GIB = 2**30
WIDTHS = {"fp16": 2, "bf16": 2, "fp8": 1, "int8": 1, "float32": 4, "float16": 2, "bfloat16": 2}

Layer = dict[str, Any]
"""One layer, or part of one: its kind, and the figures of that kind.

full, sliding, chunked   kv_heads, key_dim, value_dim; bound on the last two, kept
latent                   rank, rope, sparse; index_dim where the layer has an indexer of its own
mamba                    kernel, inner, states, dtype
mamba2                   kernel, heads, head_dim, states, groups, dtype
delta                    kernel, key_heads, key_dim, value_heads, value_dim, dtype
"""

ATTENTION = ("full", "sliding", "chunked")
STATES = ("mamba", "mamba2", "delta")


def steps(length: int, step: int) -> int:
    """How many steps it takes to cover a length."""
    return len(range(0, length, step))


# Layers from a catalog's words


def layers_of(model: Mapping[str, Any]) -> list[Layer]:
    """The layers of a catalog's entry, one by one, whichever pattern it has."""
    pattern = model["attention_pattern"]
    if pattern == "grouped":
        return [layer for group in model["layer_groups"] for layer in _of_group(group)]
    heads, dim = model["num_key_value_heads"], model["head_dim"]
    full = {"full": model["num_layers"], "hybrid": model.get("hybrid_full_layers")}.get(pattern, 0)
    layers = []
    for place in range(model["num_layers"]):
        layer = {"kind": "full", "kv_heads": heads, "key_dim": dim, "value_dim": dim}
        if place >= full:
            layer |= {"kind": "sliding", "bound": model["sliding_window"]}
        layers.append(layer)
    return layers


def _of_group(group: Mapping[str, Any]) -> Iterable[Layer]:
    for place in range(group["layers"]):
        layer: Layer = {"kind": group["kind"]}
        if group["kind"] == "latent":
            indexers = group.get("indexer_layers", 0)
            layer |= {"rank": group["kv_lora_rank"], "rope": group["qk_rope_head_dim"]}
            layer |= {"sparse": indexers > 0}
            if place < indexers:
                layer["index_dim"] = group["index_head_dim"]
        elif group["kind"] == "state":
            layer = _state(group)
        else:
            layer |= {name: group[name] for name in ("kv_heads", "key_dim", "value_dim")}
            if group["kind"] != "full":
                layer["bound"] = group["window"]
                layer["kept"] = group.get("transformers_window")
        yield layer


def _state(group: Mapping[str, Any]) -> Layer:
    common = {"kernel": group["conv_kernel"], "dtype": group["recurrent_dtype"]}
    if group["family"] == "mamba":
        inner = group["heads"] * group["head_dim"]
        return common | {"kind": "mamba", "inner": inner, "states": group["state_size"]}
    if group["family"] == "mamba2":
        names = {"heads": "heads", "head_dim": "head_dim", "states": "state_size"}
        shape = {ours: group[theirs] for ours, theirs in names.items()}
        return common | shape | {"kind": "mamba2", "groups": group["groups"]}
    keys = {"key_heads": group["groups"], "key_dim": group["state_size"]}
    values = {"value_heads": group["heads"], "value_dim": group["head_dim"]}
    return common | keys | values | {"kind": "delta"}


# A layer on one rank


def index_bytes(layer: Layer) -> int:
    """The bytes of one token in a layer's indexer: its keys in fp8, a scale for each 128."""
    if layer.get("index_dim") is None:
        return 0
    scales = layer["index_dim"] // 128
    return int(layer["index_dim"] + 4 * scales)


def rank_heads(layer: Layer, ranks: int) -> int:
    """The KV heads on one rank: dealt in turn, or one of them where there are more ranks."""
    if ranks > layer["kv_heads"]:
        return 1
    return sum(head % ranks == 0 for head in range(layer["kv_heads"]))


def token_bytes(layer: Layer, ranks: int, precision: str) -> int:
    """The bytes that one rank's pages keep of one token in one layer, an indexer's aside."""
    width = WIDTHS[precision]
    if layer["kind"] == "latent":
        if layer["sparse"] and width == 1:
            return 656
        return int((layer["rank"] + layer["rope"]) * width)
    return int(rank_heads(layer, ranks) * (layer["key_dim"] + layer["value_dim"]) * width)


def state_shapes(layer: Layer, ranks: int) -> tuple[Fraction, Fraction]:
    """Channels of the convolution, and elements of the recurrent part, on one rank."""
    if layer["kind"] == "mamba":
        return Fraction(layer["inner"], ranks), Fraction(layer["inner"], ranks) * layer["states"]
    if layer["kind"] == "mamba2":
        groups = layer["groups"] if layer["groups"] % ranks == 0 else ranks
        channels = layer["heads"] * layer["head_dim"] + groups * layer["states"] * 2
        per_head = layer["head_dim"] * layer["states"]
        return Fraction(channels, ranks), Fraction(layer["heads"], ranks) * per_head
    keys = layer["key_heads"] * layer["key_dim"]
    values = layer["value_heads"] * layer["value_dim"]
    square = layer["key_dim"] * layer["value_dim"]
    return Fraction(keys + keys + values, ranks), Fraction(layer["value_heads"], ranks) * square


def state_bytes(layer: Layer, ranks: int) -> int:
    """The bytes of one session's state in one layer, on one rank."""
    channels, elements = state_shapes(layer, ranks)
    total = channels * (layer["kernel"] - 1) * 2 + elements * WIDTHS[layer["dtype"]]
    assert total.denominator == 1
    return int(total)


def shares(layer: Layer, ranks: int) -> bool:
    """Whether so many ranks can share a layer."""
    if layer["kind"] in ATTENTION:
        return bool(layer["kv_heads"] % ranks == 0 or ranks % layer["kv_heads"] == 0)
    if layer["kind"] == "mamba":
        return bool(layer["inner"] % ranks == 0)
    if layer["kind"] == "mamba2":
        # Groups can be raised to the ranks, not lowered.
        raised = layer["groups"] % ranks == 0 or layer["groups"] < ranks
        return bool(raised and layer["heads"] % ranks == 0)
    if layer["kind"] == "delta":
        return bool(layer["key_heads"] % ranks == 0 and layer["value_heads"] % ranks == 0)
    return True


def splits(layers: Sequence[Layer], ranks: int, query_heads: int | None) -> bool:
    """Whether so many ranks can share the layers.

    Query heads are a multiple of the KV heads: where they are not known, ranks that divide
    the KV heads are sure to divide them, and others are not.
    """
    if not all(shares(layer, ranks) for layer in layers):
        return False
    if query_heads is not None:
        return not query_heads % ranks
    for layer in layers:
        if layer["kind"] == "latent" and ranks > 1:
            return False
        if layer["kind"] in ATTENTION and layer["kv_heads"] % ranks:
            return False
    return True


# The paged cache of one rank


def blocks_held(kind: str, block: int, bound: int, length: int, in_flight: int) -> int:
    """The blocks that one request needs in one layer whose blocks hold so many tokens."""
    if kind == "sliding":
        return steps(min(bound - 1 + in_flight, length), block) + 1
    if kind == "chunked":
        return steps(min(bound + in_flight, length), block)
    return steps(length, block)


def paged(
    layers: Sequence[Layer],
    ranks: int,
    precision: str,
    length: int,
    in_flight: int,
    *,
    hybrid: bool = True,
    aligned: bool = False,
) -> dict[str, Any] | None:
    """The groups of a request of so many tokens; None where no layout is known."""
    pages = [_page(layer, ranks, precision) for layer in layers]
    kinds = {page["kind"] for page in pages}
    if "latent" in kinds:
        return None if len(kinds) > 1 else _of_latents(pages, precision, length)
    if not hybrid and len(kinds) > 1:
        # The engine turns windowed layers beside full ones into full ones; it does not
        # start with states beside attention, and leaves layers of one kind as they are.
        if "state" in kinds:
            return None
        for page in pages:
            page |= {"kind": "full", "bound": 0}
        kinds = {"full"}
    if len(kinds) > 1 and not _made_equal(pages):
        return None
    for page in pages:
        page["size"] *= page["raised"]
        held = (page["kind"], page["size"], page["bound"], length, in_flight)
        page["blocks"] = 1 + aligned if page["kind"] == "state" else blocks_held(*held)
    buckets = _buckets(pages, ranks)
    if len(kinds) > 1:
        return _cache(_dealt(buckets))
    # All layers of one kind are one group, of whatever size and geometry their pages are.
    return _cache([_group(pages, of_one_geometry=len(buckets) == 1)])


def _page(layer: Layer, ranks: int, precision: str) -> dict[str, Any]:
    kind = "state" if layer["kind"] in STATES else layer["kind"]
    page = {"kind": kind, "bound": layer.get("bound", 0), "layer": layer, "raised": 1}
    if kind == "state":
        return page | {"size": 1, "bytes": state_bytes(layer, ranks)}
    size = 64 if kind == "latent" else 16
    return page | {"size": size, "bytes": size * token_bytes(layer, ranks, precision)}


def _of_latents(
    pages: Sequence[dict[str, Any]], precision: str, length: int
) -> dict[str, Any] | None:
    """Latent layers and their indexers, each a layer of its own: one group of all of them."""
    held = []
    for page in pages:
        layer = page["layer"]
        sparse = layer["sparse"] and WIDTHS[precision] == 1
        if sparse and (layer["rank"], layer["rope"]) != (512, 64):
            return None
        held.append(page | {"blocks": steps(length, 64)})
        if layer.get("index_dim") is not None:
            held.append(held[-1] | {"bytes": 64 * index_bytes(layer), "layer": "indexer"})
    return _cache([_group(held)])


def _made_equal(pages: Sequence[dict[str, Any]]) -> bool:
    """Raise blocks, and pad states, until all pages are equal; False where that cannot be."""
    states = {page["bytes"] for page in pages if page["kind"] == "state"}
    attention = {page["bytes"] for page in pages if page["kind"] != "state"}
    if states:
        if len(states) > 1 or len(attention) > 1:
            return False
        raised = 1
        while raised * max(attention) < max(states):
            raised += max(1, (max(states) // max(attention)) - raised)
        for page in pages:
            page |= {"raised": raised, "bytes": raised * max(attention)}
        return True
    for page in pages:
        page["raised"], rest = divmod(max(attention), page["bytes"])
        page["bytes"] = max(attention)
        if rest:
            return False
    return True


def _buckets(pages: Sequence[dict[str, Any]], ranks: int) -> list[list[dict[str, Any]]]:
    """Pages of layers of one kind, and of one geometry on a rank."""
    buckets: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for page in pages:
        layer = page["layer"]
        if page["kind"] == "state":
            key = (layer["kind"], layer["kernel"], layer["dtype"], *state_shapes(layer, ranks))
        else:
            dims = (layer["key_dim"], layer["value_dim"])
            key = (page["kind"], page["bound"], rank_heads(layer, ranks), *dims)
        buckets.setdefault(key, []).append(page)
    return list(buckets.values())


def _dealt(buckets: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The layers of each bucket, dealt in turn to as few groups as the common size allows."""
    counts = sorted(len(bucket) for bucket in buckets)
    common = counts[-1] if Fraction(counts[-1], counts[0]) < Fraction(3, 2) else counts[0]
    groups = []
    for bucket in buckets:
        hands: list[list[dict[str, Any]]] = [[] for _ in range(steps(len(bucket), common))]
        for turn, page in enumerate(bucket):
            hands[turn % len(hands)].append(page)
        groups += [_group(hand) for hand in hands]
    return groups


def _group(pages: Sequence[dict[str, Any]], *, of_one_geometry: bool = True) -> dict[str, Any]:
    sizes = {page["bytes"] for page in pages}
    alike = len(sizes) == 1 and all(page["layer"] != "indexer" for page in pages)
    alike = alike and of_one_geometry
    total = sum(page["bytes"] for page in pages)
    return {
        "kind": pages[0]["kind"],
        "layers": len(pages),
        "size": pages[0]["size"],
        "blocks": pages[0]["blocks"],
        "page": pages[0]["bytes"] if alike else total,
        "bytes": total,
    }


def _cache(groups: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "groups": groups,
        "bytes_per_block": max(group["bytes"] for group in groups),
        "blocks_per_request": sum(group["blocks"] for group in groups),
    }


# A rank's pool, and what it admits


def whole_bytes(gib: str) -> int:
    """An amount of GiB as whole bytes, to the nearest."""
    return floor(Fraction(gib) * GIB + Fraction(1, 2))


def device_bytes(server: Mapping[str, Any]) -> int:
    """What a GPU's memory comes to for a program that asks for it."""
    usable: int | None = server.get("usable_hbm_per_gpu_bytes")
    if usable is not None:
        return usable
    if server.get("hbm_per_gpu_mib") is not None:
        return floor(Fraction(server["hbm_per_gpu_mib"]) * 2**20 * Fraction("0.994"))
    # Where the driver's figure is not known, the one that is marketed stands for it.
    total = Fraction(server.get("total_hbm_gb") or 0)
    each = total / server["gpus"] or Fraction(server["hbm_per_gpu_gb"])
    return floor(each * 10**9 * Fraction("0.994"))


def overhead_bytes(start: Mapping[str, Any]) -> int:
    """What activations and the runtime take of a GPU."""
    return whole_bytes(start["activation_gib"]) + whole_bytes(start["runtime_gib"])


def weights(model: Mapping[str, Any]) -> int | None:
    """The bytes of the weights, or an estimate of them; None where nothing is known."""
    if model.get("weight_bytes") is not None:
        return int(model["weight_bytes"])
    if model.get("total_params") is None:
        return None
    # A scale of 8 bits for every 32 elements, or for every 16.
    bits = {"fp8": "8", "int8": "8", "mxfp4": "4.25", "nvfp4": "4.5"}
    width = Fraction(bits.get(model.get("weight_precision") or "", "16")) / 8
    total: int = model["total_params"]
    whole = min(model.get("unquantized_params") or 0, total)
    return ceil(whole * 2 + (total - whole) * width)


def pool_bytes(
    model: Mapping[str, Any], server: Mapping[str, Any], start: Mapping[str, Any], ranks: int
) -> int | None:
    """The bytes that are left for the cache on one rank; None where the weights are not known."""
    if start.get("kv_pool_gib") is not None:
        return whole_bytes(start["kv_pool_gib"])
    heavy = weights(model)
    if heavy is None:
        return None
    taken = floor(device_bytes(server) * Fraction(start["gpu_memory_utilization"]))
    return taken - steps(heavy, ranks) - overhead_bytes(start)


def admits(pool: int, cache: Mapping[str, Any]) -> tuple[int, int]:
    """The blocks of a pool, and the requests that they take beside the reserved one."""
    blocks = steps(max(0, pool - cache["bytes_per_block"] + 1), cache["bytes_per_block"])
    request = cache["blocks_per_request"]
    return blocks, len(range(request, blocks, request))


def answer(
    model: Mapping[str, Any],
    server: Mapping[str, Any],
    load: Mapping[str, Any],
    start: Mapping[str, Any],
) -> dict[str, Any]:
    """What the engine holds of a load; only "unknown", with what is not, where it is not known."""
    layers, query_heads = layers_of(model), model.get("num_attention_heads")
    sizes = [one for one in range(1, server["gpus"] + 1) if splits(layers, one, query_heads)]
    if start["tensor_parallel"] is not None:
        sizes = [one for one in sizes if one == start["tensor_parallel"]]
    else:
        sizes = [one for one in sizes if one <= 128]
    known: list[dict[str, Any]] = [{"unknown": "layout" if sizes else "tensor_parallel"}]
    for ranks in sizes:
        found = of_ranks(model, server, load, start, ranks)
        if found.get("unknown") == "layout":
            # Among more ranks the layers may be alike.
            continue
        known.append(found)
        if "unknown" in found or found["sessions_per_replica"]:
            break
    return known[-1]


def of_ranks(
    model: Mapping[str, Any],
    server: Mapping[str, Any],
    load: Mapping[str, Any],
    start: Mapping[str, Any],
    ranks: int,
) -> dict[str, Any]:
    """The same with so many ranks to a replica."""
    layers = layers_of(model)
    length = min(load["effective_context"], model["max_position_embeddings"])
    precision = load["kv_precision"] or model["default_kv_precision"]
    in_flight = start["max_num_batched_tokens"] * start["batches_in_flight"]
    choices: dict[str, bool] = {
        "hybrid": start["hybrid_manager"],
        "aligned": start["state_caching"] == "align",
    }
    cache = paged(layers, ranks, precision, length, in_flight, **choices)
    steady = paged(layers, ranks, precision, length, 0, **choices)
    pool = pool_bytes(model, server, start, ranks)
    if cache is None or steady is None:
        return {"unknown": "layout"}
    if pool is None:
        return {"unknown": "weights"}
    blocks, admitted = admits(pool, cache)
    once = admits(pool, steady)[1]
    replicas, _ = divmod(server["gpus"], ranks)
    return {
        "tensor_parallel": ranks,
        "cache": cache,
        "steady": steady,
        "pool": pool,
        "num_blocks": blocks,
        "sessions_per_replica": admitted,
        "sessions_per_node": admitted * replicas,
        "steady_sessions_per_node": once * replicas,
        "nodes": nodes(load, admitted * replicas),
        "steady_nodes": nodes(load, once * replicas),
        "copies": max(ranks_alike(layer, ranks) for layer in layers),
    }


def ranks_alike(layer: Layer, ranks: int) -> int:
    """How many ranks hold the same of a layer."""
    if layer["kind"] in STATES:
        return 1
    if layer["kind"] == "latent":
        return ranks
    copies: Fraction = Fraction(rank_heads(layer, ranks) * ranks, layer["kv_heads"])
    return int(copies)


def nodes(load: Mapping[str, Any], per_node: int) -> tuple[int, int, int] | tuple[None, None, None]:
    """Nodes at least, with headroom, and in the end."""
    if per_node == 0:
        return None, None, None
    least = ceil(Fraction(load["concurrency"], per_node))
    at_peak = ceil(load["concurrency"] * (1 + Fraction(load["peak_headroom_ratio"])) / per_node)
    return least, at_peak, at_peak + (load["ha_mode"] == "n+1")


# One session without an engine


def planning_bytes(layers: Iterable[Layer], precision: str, length: int) -> int:
    """What one session holds by the planning formula: whole tokens, and all ranks together."""
    total = 0
    for layer in layers:
        kind = layer["kind"]
        if kind in STATES:
            total += state_bytes(layer, 1)
        elif kind == "latent":
            # By its elements, also where the engine's sparse format takes more.
            elements = layer["rank"] + layer["rope"]
            total += (elements * WIDTHS[precision] + index_bytes(layer)) * length
        else:
            held = length if kind == "full" else min(layer["bound"], length)
            total += token_bytes(layer, 1, precision) * held
    return total


def transformers_bytes(layers: Iterable[Layer], length: int) -> int:
    """What transformers keeps of so many tokens, in a model of 16 bits."""
    total = 0
    for layer in layers:
        kind = layer["kind"]
        if kind in STATES:
            channels, elements = state_shapes(layer, 1)
            total += int(channels) * layer["kernel"] * 2 + int(elements) * 4
        elif kind == "latent":
            total += (layer["rank"] + layer["rope"] + (layer.get("index_dim") or 0)) * 2 * length
        else:
            kept = length
            if kind != "full":
                window = layer["bound"] - 1 if layer.get("kept") is None else layer["kept"]
                kept = min(length, window)
            total += token_bytes(layer, 1, "bf16") * kept
    return total
