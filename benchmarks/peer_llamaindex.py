"""LlamaIndex's hybrid retriever over a deployment's passages; run by ``benchmarks.query_peer``.

``python peer_llamaindex.py DATABASE`` reads a JSON object from stdin: ``dsn``, whose passages it
copies into DATABASE, and ``queries``. It prints rankings of ``_id`` and milliseconds a query, with
the embedder of Tidemark and with sentence-transformers.
"""

from __future__ import annotations

import json
import sys
import time
from functools import cache
from typing import Any

import psycopg
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import VectorStoreQueryMode
from llama_index.vector_stores.postgres import PGVectorStore
from psycopg.conninfo import conninfo_to_dict

from include.embedding import load_embedder
from include.embedding.model_folder import locate_model
from include.settings import settings

_TOP_K = 10
_WARM_UP = 20
_EMBEDDER = load_embedder()


class SameEmbedding(BaseEmbedding):
    """The very embedder of Tidemark, so that retrievers alone are compared."""

    def _get_query_embedding(self, query: str) -> list[float]:
        return _EMBEDDER.embed([query])[0].tolist()

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_query_embedding(text)


class UsualEmbedding(SameEmbedding):
    """The same model through sentence-transformers, as LlamaIndex's own embedding calls it."""

    def _get_query_embedding(self, query: str) -> list[float]:
        return _sentence_transformer().encode([query], normalize_embeddings=True)[0].tolist()


@cache
def _sentence_transformer() -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(locate_model(settings().embedding_model)), device="cpu")


def main() -> int:
    """Fill, ask, print."""
    (database,) = sys.argv[1:]
    given = json.load(sys.stdin)
    dsn, queries = given["dsn"], given["queries"]
    server = conninfo_to_dict(dsn)
    store = PGVectorStore.from_params(
        database=database,
        host=str(server.get("host")),
        port=str(server.get("port")),
        user=str(server.get("user")),
        password=str(server.get("password") or ""),
        table_name="passages",
        embed_dim=_EMBEDDER.identity.dimension,
        hybrid_search=True,
        text_search_config="english",
        hnsw_kwargs={
            "hnsw_m": 16,
            "hnsw_ef_construction": 64,
            "hnsw_ef_search": 40,
            "hnsw_dist_method": "vector_cosine_ops",
        },
    )
    store.add(_nodes(dsn))
    print(
        json.dumps(
            {
                "llamaindex, same embedder": _ask(store, SameEmbedding(), queries),
                "llamaindex as it comes": _ask(store, UsualEmbedding(), queries),
            }
        )
    )
    return 0


def _ask(store: PGVectorStore, embedding: BaseEmbedding, queries: list[str]) -> dict[str, Any]:
    index = VectorStoreIndex.from_vector_store(
        store,
        embed_model=embedding,
        storage_context=StorageContext.from_defaults(vector_store=store),
    )
    retriever = index.as_retriever(
        vector_store_query_mode=VectorStoreQueryMode.HYBRID,
        similarity_top_k=_TOP_K,
        sparse_top_k=_TOP_K,
    )
    for query in queries[:_WARM_UP]:
        retriever.retrieve(query)
    rankings, taken = [], []
    for query in queries:
        started = time.perf_counter()
        found = retriever.retrieve(query)
        taken.append(1000 * (time.perf_counter() - started))
        best = sorted(found, key=lambda hit: -(hit.score or 0))
        rankings.append(list(dict.fromkeys(hit.node.metadata["record"] for hit in best)))
    return {"rankings": rankings, "milliseconds": taken}


def _nodes(dsn: str) -> list[Any]:
    with psycopg.connect(dsn) as connection:
        ((table,),) = connection.execute(
            "select table_name from corpus.embedding_model where active"
        ).fetchall()
        rows = connection.execute(
            "select c.chunk_id::text, c.text, d.metadata ->> '_id', e.embedding::vector::text "
            "from corpus.chunk as c inner join corpus.document as d on c.doc_id = d.doc_id "
            f"inner join corpus.{table} as e on c.chunk_id = e.chunk_id"
        ).fetchall()
    return [
        TextNode(
            id_=name, text=text, metadata={"record": str(record)}, embedding=json.loads(vector)
        )
        for name, text, record, vector in rows
    ]


if __name__ == "__main__":
    sys.exit(main())
