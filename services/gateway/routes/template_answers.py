"""Templates as the dashboard API shows them."""

from typing import Any

from shared.clock import iso_millis
from shared.contracts.template_drafts import SubmittedTemplate, TemplateDetails, TemplateDraft
from shared.contracts.templates import SyncResult, Template, TemplateVariable


def listed(template: Template) -> dict[str, Any]:
    """An entry of the list."""
    return {
        "template_id": template.template_id,
        "name": template.name,
        "category": template.category,
        "status": template.status,
        "language": template.language,
        "components": template.components,
        "variables": [_variable_in_list(variable) for variable in template.variables],
    }


def details(found: TemplateDetails) -> dict[str, Any]:
    """One template with its variables and analytics."""
    template = found.template
    shown = _identity(template) | {
        "components": template.components,
        "parameter_format": template.parameter_format,
        "meta_template_id": template.meta_template_id,
        "quality_score": template.quality_score,
        "rejected_reason": template.rejected_reason,
        "status_reason": template.status_reason,
        "correct_category": template.correct_category,
        "submitted_at": iso_millis(found.submitted_at) if found.submitted_at else None,
        "created_at": iso_millis(template.created_at),
        "updated_at": iso_millis(template.updated_at),
    }
    return {
        "template": shown,
        "variables": [_variable(variable) for variable in template.variables],
        "analytics": found.analytics.model_dump(),
    }


def drafted(draft: TemplateDraft) -> dict[str, Any]:
    """A draft that was made or changed, and what Meta will refuse in it."""
    created_at = {"created_at": iso_millis(draft.template.created_at)}
    return _identity(draft.template) | created_at | {"warnings": list(draft.warnings)}


def submitted(taken: SubmittedTemplate) -> dict[str, Any]:
    """A template that Meta has taken."""
    return {
        "template_id": taken.template_id,
        "status": taken.status,
        "meta_template_id": taken.meta_template_id,
        "submitted_at": iso_millis(taken.submitted_at),
    }


def synced(result: SyncResult) -> dict[str, Any]:
    """What a sync did."""
    return result.model_dump(mode="json") | {
        "summary": {
            "totalImported": len(result.imported),
            "totalUpdated": len(result.updated),
            "totalErrors": len(result.errors),
        }
    }


def _identity(template: Template) -> dict[str, Any]:
    return {
        "template_id": template.template_id,
        "user_id": template.user_id,
        "phone_number_id": template.phone_number_id,
        "name": template.name,
        "category": template.category,
        "status": template.status,
        "language": template.language,
    }


def _variable(variable: TemplateVariable) -> dict[str, Any]:
    return {
        "variable_id": variable.variable_id,
        "variable_name": variable.variable_name,
        "position": variable.position,
        "component_type": variable.component_type,
        "extraction_field": variable.extraction_field,
        "default_value": variable.default_value,
        "sample_value": variable.sample_value,
        "description": variable.description,
        "is_required": variable.is_required,
        "placeholder": variable.placeholder,
    }


def _variable_in_list(variable: TemplateVariable) -> dict[str, Any]:
    return {
        "position": variable.position,
        "variable_name": variable.variable_name,
        "default_value": variable.default_value,
        "sample_value": variable.sample_value,
    }
