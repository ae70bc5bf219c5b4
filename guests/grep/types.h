#ifndef BX_GUEST_TYPES_H
#define BX_GUEST_TYPES_H

/* The name patterns of a language, with spaces between them; NULL when it is not known. */
const char *bx_types_find(const char *name);

/* The names of all, with ", " between them; the caller's. */
char *bx_types_list(void);

#endif
