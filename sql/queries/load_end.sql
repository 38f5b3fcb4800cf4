drop table staged_document, staged_chunk, staged_mention, staged_image, staged_vector;
