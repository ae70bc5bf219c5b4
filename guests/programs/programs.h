#ifndef BX_PROGRAM_PROGRAMS_H
#define BX_PROGRAM_PROGRAMS_H

/* The programs of image "tools": main.c has the table. */
int cat_main(int argc, char **argv);
int column_main(int argc, char **argv);
int comm_main(int argc, char **argv);
int csplit_main(int argc, char **argv);
int cut_main(int argc, char **argv);
int date_main(int argc, char **argv);
int diff_main(int argc, char **argv);
int du_main(int argc, char **argv);
int expr_main(int argc, char **argv);
int find_main(int argc, char **argv);
int grep_main(int argc, char **argv);
int gzip_main(int argc, char **argv);
int head_main(int argc, char **argv);
int join_main(int argc, char **argv);
int ls_main(int argc, char **argv);
int nl_main(int argc, char **argv);
int numfmt_main(int argc, char **argv);
int mktemp_main(int argc, char **argv);
int patch_main(int argc, char **argv);
int sed_main(int argc, char **argv);
int shuf_main(int argc, char **argv);
int sort_main(int argc, char **argv);
int split_main(int argc, char **argv);
int sum_main(int argc, char **argv);
int tac_main(int argc, char **argv);
int tail_main(int argc, char **argv);
int timeout_main(int argc, char **argv);
int tree_main(int argc, char **argv);
int tsort_main(int argc, char **argv);
int unexpand_main(int argc, char **argv);
int unzip_main(int argc, char **argv);
int uniq_main(int argc, char **argv);
int wc_main(int argc, char **argv);
int xargs_main(int argc, char **argv);
int zip_main(int argc, char **argv);

#endif
