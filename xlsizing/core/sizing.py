"""The whole sizing: from a load on a model, a server and a storage to nodes and alerts."""

from dataclasses import dataclass

from xlsizing.core.alerts import (
    ALERT_RULES,
    WEIGHTS_KNOWN,
    WEIGHTS_UNKNOWN,
    Alert,
    in_order,
    plan_status,
)
from xlsizing.core.capacity import (
    DEFAULT_KV_BUDGET_RATIO,
    DEFAULT_RUNTIME_OVERHEAD_GIB,
    bytes_beside_kv,
    kv_budget_bytes,
    kv_budget_parts,
    sessions_that_fit,
)
from xlsizing.core.engine import (
    DEFAULT_SETTINGS,
    EngineBound,
    EngineSettings,
    engine_alerts,
    engine_bound,
    tensor_parallel_alerts,
)
from xlsizing.core.entries import Model, Server, StorageProfile, source_alerts
from xlsizing.core.errors import SizingError
from xlsizing.core.exact import Number, grouped
from xlsizing.core.kv_cache import (
    clamped_context,
    gib,
    kv_alerts,
    kv_bytes_per_session,
    kv_total_tib,
    resolved_precision,
    whole_number,
)
from xlsizing.core.message import Message
from xlsizing.core.nodes import (
    DEFAULT_HA_MODE,
    DEFAULT_PEAK_HEADROOM_RATIO,
    calc_nodes_required,
)
from xlsizing.core.ranges import range_alerts
from xlsizing.core.remedies import budget_remedies, weights_remedies
from xlsizing.core.storage import storage_alerts
from xlsizing.core.units import BYTES_PER_GIB


@dataclass(frozen=True)
class SizingResult:
    """A sizing: what was asked, what came out, and what to be warned of.

    Where no session fits on a node, sessions_per_node is 0 and the three counts of
    nodes are None.
    """

    model: Model
    server: Server
    storage: StorageProfile
    concurrency: int
    effective_context: int
    kv_precision: str
    kv_budget_ratio: Number
    runtime_overhead_gib: Number
    peak_headroom_ratio: Number
    ha_mode: str
    kv_per_session_gib: float
    kv_total_tib: float
    sessions_per_node: int
    nodes_minimum: int | None
    nodes_with_headroom: int | None
    nodes_final: int | None
    warnings: list[str]
    clamped_context: int | None = None
    alerts: tuple[Alert, ...] = ()
    settings: EngineSettings = DEFAULT_SETTINGS
    """How the engine is started."""
    engine: EngineBound | None = None
    """What the engine holds; None where that is not known."""
    engine_unknown: str = ""
    """Why the engine's figures are not known."""
    engine_alerts: tuple[Alert, ...] = ()
    """What the engine's figures warn of; among `alerts` where a tensor-parallel size was asked for."""

    @property
    def load(self) -> Message:
        """The load in words: sessions, and the tokens that each will hold."""
        held = clamped_context(self.model, self.effective_context)
        asked = self.effective_context
        sessions, tokens = grouped(self.concurrency), grouped(held)
        if asked > held:
            return Message(
                "{sessions} sessions of {tokens} tokens ({asked} asked for)",
                sessions=sessions,
                tokens=tokens,
                asked=grouped(asked),
            )
        return Message("{sessions} sessions of {tokens} tokens", sessions=sessions, tokens=tokens)

    @property
    def weights(self) -> Message:
        """How the weights compare with what the KV budget leaves for them, in words."""
        if self.model.weight_bytes is None:
            return WEIGHTS_UNKNOWN
        left = bytes_beside_kv(self.server, self.kv_budget_ratio, self.runtime_overhead_gib)
        return WEIGHTS_KNOWN.filled(
            weights_gib=grouped(self.model.weight_bytes, BYTES_PER_GIB, 2),
            left_gib=grouped(left, BYTES_PER_GIB, 2),
        )

    @property
    def all_alerts(self) -> tuple[Alert, ...]:
        """The planning method's alerts and the engine's, each once, in the order of the rules."""
        return in_order(dict.fromkeys((*self.alerts, *self.engine_alerts)))

    @property
    def status(self) -> str:
        """OK, or what is wrong with the plan in a few words."""
        return plan_status(self.all_alerts)

    @property
    def fits(self) -> bool:
        """True where at least one session fits on a node."""
        return self.nodes_final is not None


def size(
    model: Model,
    server: Server,
    storage: StorageProfile,
    *,
    concurrency: Number,
    effective_context: Number,
    kv_precision: str | None = None,
    kv_budget_ratio: Number = DEFAULT_KV_BUDGET_RATIO,
    runtime_overhead_gib: Number = DEFAULT_RUNTIME_OVERHEAD_GIB,
    peak_headroom_ratio: Number = DEFAULT_PEAK_HEADROOM_RATIO,
    ha_mode: str = DEFAULT_HA_MODE,
    settings: EngineSettings = DEFAULT_SETTINGS,
) -> SizingResult:
    """How many nodes it takes, by the planning method, and what the engine holds beside it.

    Parameters
    ----------
    model, server, storage : the catalog entries.
    concurrency : sessions at the same time [whole number of at least 1].
    effective_context : tokens that a session holds [whole number of at least 1].
    kv_precision : fp16, bf16, fp8 or int8; None for the model's default.
    kv_budget_ratio : share of the HBM that is planned for KV caches [above 0, at most 1].
    runtime_overhead_gib : what the runtime takes of that share, per node [GiB].
    peak_headroom_ratio : what to keep free for peaks, as a share of the load [0 or more].
    ha_mode : "none", or "n+1" for one node more than the load needs.
    settings : how the engine is started; the planning method does not depend on it.

    Returns
    -------
    SizingResult : also where nothing fits; see its docstring.

    Raises
    ------
    InvalidValueError : a value that the method does not accept.

    Notes
    -----
    KV total = KV per session * concurrency; the other equations stand with
    `kv_bytes_per_session`, `calc_sessions_per_node` and `calc_nodes_required`.
    """
    sessions = whole_number("concurrency", concurrency)
    tokens = whole_number("effective_context", effective_context)
    precision = resolved_precision(model, kv_precision)
    kv_bytes = kv_bytes_per_session(model, tokens, precision)
    budget = kv_budget_parts(server, kv_budget_ratio, runtime_overhead_gib)
    per_node = sessions_that_fit(budget, kv_bytes)
    minimum, with_headroom, final = calc_nodes_required(
        sessions, per_node, peak_headroom_ratio, ha_mode
    )
    context = clamped_context(model, tokens)
    engine, unknown = None, ""
    try:
        engine = engine_bound(
            model, server, context, precision, sessions, peak_headroom_ratio, ha_mode, settings
        )
    except SizingError as error:
        unknown = str(error)
    planning_alerts = (
        *hbm_alerts(model, server, tokens, precision, kv_budget_ratio, runtime_overhead_gib),
        *kv_alerts(model, tokens, precision),
        *storage_alerts(storage, model, tokens, server),
        *range_alerts(context, final),
        *source_alerts(model, server, storage),
    )
    of_engine = (
        *tensor_parallel_alerts(model, server, settings),
        *engine_alerts(model, server, context, per_node, final, engine),
    )
    asked = settings.tensor_parallel is not None
    alerts = in_order((*planning_alerts, *of_engine)) if asked else planning_alerts
    return SizingResult(
        model=model,
        server=server,
        storage=storage,
        concurrency=sessions,
        effective_context=tokens,
        kv_precision=precision,
        kv_budget_ratio=kv_budget_ratio,
        runtime_overhead_gib=runtime_overhead_gib,
        peak_headroom_ratio=peak_headroom_ratio,
        ha_mode=ha_mode,
        kv_per_session_gib=gib(kv_bytes),
        kv_total_tib=kv_total_tib(kv_bytes, sessions),
        sessions_per_node=per_node,
        nodes_minimum=minimum,
        nodes_with_headroom=with_headroom,
        nodes_final=final,
        warnings=[alert.message for alert in alerts],
        clamped_context=context,
        alerts=alerts,
        settings=settings,
        engine=engine,
        engine_unknown=unknown,
        engine_alerts=of_engine,
    )


def hbm_alerts(
    model: Model,
    server: Server,
    effective_context: int,
    kv_precision: str,
    kv_budget_ratio: Number,
    runtime_overhead_gib: Number,
) -> list[Alert]:
    """The alerts HBM_BUDGET_INSUFFICIENT and WEIGHTS_NOT_COVERED, where they apply."""
    kv_bytes = kv_bytes_per_session(model, effective_context, kv_precision)
    budget = kv_budget_bytes(server, kv_budget_ratio, runtime_overhead_gib)
    left = bytes_beside_kv(server, kv_budget_ratio, runtime_overhead_gib)
    alerts = []
    if kv_bytes > budget:
        alerts.append(
            ALERT_RULES["hbm_budget_insufficient"].alert(
                model=model.name,
                server=server.name,
                kv_gib=grouped(kv_bytes, BYTES_PER_GIB, 2),
                budget_gib=grouped(budget, BYTES_PER_GIB, 2),
                short_gib=grouped(kv_bytes - budget, BYTES_PER_GIB, 2),
                short_bytes=grouped(kv_bytes - budget),
                budget_remedies=budget_remedies(
                    model,
                    server,
                    effective_context,
                    kv_precision,
                    kv_budget_ratio,
                    runtime_overhead_gib,
                ),
            )
        )
    if model.weight_bytes is not None and model.weight_bytes > left:
        alerts.append(
            ALERT_RULES["weights_not_covered"].alert(
                model=model.name,
                server=server.name,
                weights_gib=grouped(model.weight_bytes, BYTES_PER_GIB, 2),
                left_gib=grouped(left, BYTES_PER_GIB, 2),
                weights_remedies=weights_remedies(
                    model.weight_bytes, server, kv_budget_ratio, runtime_overhead_gib
                ),
            )
        )
    return alerts
