/* api/files.h: files of the root for who types their names. Any thread; looks at the disk, reads no file, follows no link. */
#ifndef BX_API_FILES_H
#define BX_API_FILES_H

#include "json/write.h"

/* Members "files" ([{"path","kind":"file|folder"}], best first, paths relative to the root) and "cut" (there are more, or the tree
 * is larger than what is looked at). "src/ma" completes within /src; "main" finds it at any depth. Hidden files are listed only
 * when the query asks for them by a dot; folders of packages and builds (node_modules, target …) only by their names. */
void bx_files_complete(const char *root, struct bx_str query, size_t limit, struct bx_jw *w);

#endif
