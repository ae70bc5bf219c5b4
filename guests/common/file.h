#ifndef BX_GUEST_FILE_H
#define BX_GUEST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/buf.h"

struct bx_answer;

/* Files. Every failure is told in plain words in the answer and returned as false. */

/* What stat() failed with, as the end of a sentence: "it is outside the root…", "the disk is full".
 */
const char *bx_file_why(int error);

/* "a folder", "a pipe, a socket or a device"; NULL for a plain file. Opening some of them would
 * never return. */
const char *bx_file_oddity(mode_t mode);

/* Stat a plain file that must exist; otherwise says what is there instead, or what has a similar
 * name. */
bool bx_file_stat(const char *path, struct stat *ret, struct bx_answer *answer);

/* The whole of a plain file that must exist, at most max_bytes. */
bool bx_file_load(const char *path, size_t max_bytes, struct bx_buf *ret, struct bx_answer *answer);

/* Fill up to n bytes from a descriptor; fewer only at the end. -1 and errno on error. */
ssize_t bx_file_read(int fd, void *bytes, size_t n);

/*
 * Follow symbolic links at the end of a path, so that writing changes the file and not the link.
 * Returns the caller's path, or NULL after an answer.
 */
char *bx_file_target(const char *path, struct bx_answer *answer);

/*
 * Put the whole content of a file in its place at once: written beside it under a temporary name,
 * then renamed. Missing folders are made. After a failure nothing is left behind.
 */
bool bx_file_replace(const char *path, const char *bytes, size_t n, struct bx_answer *answer);

#endif
