"""The card of an exported model, as a text that lies beside its file."""

from affect.core.labels import TASKS
from affect.models.card import ExportCard
from affect.report.render import make_environment
from affect.report.run_results import LABELS


def render_model_card(card: ExportCard, name: str) -> str:
    """Return the card in Markdown. name: of the exported file."""
    metrics = card.metrics or {}
    environment = make_environment({"metrics": metrics, "parameters": card.parameters}, html=False)
    return environment.get_template("model_card.md.j2").render(
        card=card,
        name=name,
        metrics=[(task, metric) for task in TASKS for metric in LABELS if metric in metrics.get(task, {})],
    )
