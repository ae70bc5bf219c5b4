/* cli/skill_source.h: where `skill add` takes a skill from: a folder, an archive, an address. One thread. */
#ifndef BX_CLI_SKILL_SOURCE_H
#define BX_CLI_SKILL_SOURCE_H

#include "base/base.h"

struct bx_skill_source_dir {
    char *folder; /* to look into */
    char *from;   /* for the record: an absolute path, or the address */
    char *temp;   /* removed at the end, or NULL */
};
/* An address is http or https; redirects are followed five times, never from https to http; at most 16 MiB come. */
int bx_skill_source_open(const char *what, struct bx_skill_source_dir *ret, struct bx_err *err);
void bx_skill_source_deinit(struct bx_skill_source_dir *s);

#endif
