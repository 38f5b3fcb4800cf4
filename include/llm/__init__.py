"""Language models: one protocol, any OpenAI-compatible endpoint, a local model."""

from include.llm.model import ChatModel, Completion, Message, ModelUnavailableError

__all__ = ["ChatModel", "Completion", "Message", "ModelUnavailableError"]
