#ifndef BX_PROGRAM_ZIP_H
#define BX_PROGRAM_ZIP_H

#include "programs/tool.h"

/* zip archives: unzip.c reads them, zip.c writes. Stored and deflated entries, up to 4 GiB, without passwords. */
enum {
    LOCAL = 0x04034b50,
    CENTRAL = 0x02014b50,
    END = 0x06054b50,
    END_BYTES = 22,
    UTF8_FLAG = 1 << 11,
    ENCRYPTED_FLAG = 1,
    STORED = 0,
    DEFLATED = 8,
    PIECE = 65536
};

struct zip_entry {
    char *name;
    unsigned method, flags, date, time, mode;
    uint32_t crc, packed, size, offset;
};

/* The entries of an archive, names being text of any kind; NULL after a message. */
struct zip_entry *zip_entries(FILE *file, const char *path, size_t *ret_n);
/* Puts the file's place at the entry's bytes. */
bool zip_go_to_data(FILE *file, const struct zip_entry *e);

#endif
