-- Seen again, unchanged, by a newer observation: else an older one, still to come, could undo it.
update corpus.near_duplicate as n
set fence = i.fence
from dedup_incoming as i
where n.doc_id = i.doc_id and n.fence < i.fence;
