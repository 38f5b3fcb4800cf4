drop table staged_file, staged_place, staged_gone, staged_read;
