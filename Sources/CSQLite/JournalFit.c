#include "JournalFit.h"
#include "CSQLite.h"
#include "FileRead.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// https://sqlite.org/fileformat2.html#the_rollback_journal
static const unsigned char MAGIC[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

static unsigned number_at(const unsigned char *bytes) {
    return (unsigned)bytes[0] << 24 | (unsigned)bytes[1] << 16 | (unsigned)bytes[2] << 8 | bytes[3];
}

// Looks for the first page in the journal's parts, each a header that fills a sector, and as many pages with their numbers and
// check values.
static int find_counter(sqlite3_file *journal, int *is_found, unsigned *counter) {
    unsigned char header[28];
    sqlite3_int64 offset = 0;
    for (;;) {
        int code = read_file(journal, header, sizeof header, offset);
        if (code == SQLITE_IOERR_SHORT_READ || (code == SQLITE_OK && memcmp(header, MAGIC, sizeof MAGIC) != 0)) {
            return SQLITE_OK;
        }
        if (code != SQLITE_OK) {
            return code;
        }
        unsigned count = number_at(header + 8);
        // The first header has the sizes for all.
        static const unsigned least = 512, most = 65536;
        sqlite3_int64 sector = number_at(header + 20), page = number_at(header + 24);
        if (sector < 32 || sector > most || page < least || page > most) {
            return SQLITE_OK;
        }
        sqlite3_int64 record = offset + sector;
        for (unsigned i = 0; i < count; i++, record += page + 8) {
            unsigned char start[32];
            code = read_file(journal, start, sizeof start, record);
            if (code == SQLITE_IOERR_SHORT_READ) {
                return SQLITE_OK;
            }
            if (code != SQLITE_OK) {
                return code;
            }
            if (number_at(start) == 1) {
                *is_found = 1;
                *counter = number_at(start + 4 + 24);
                return SQLITE_OK;
            }
        }
        offset = (record + sector - 1) / sector * sector;
    }
}

int journal_is_file(const char *name) {
    struct stat status;
    return stat(name, &status) != 0 || S_ISREG(status.st_mode);
}

int journal_fits(sqlite3_vfs *base, const char *name, unsigned counter) {
    int is_there = 0;
    int code = base->xAccess(base, name, SQLITE_ACCESS_EXISTS, &is_there);
    if (code != SQLITE_OK || !is_there) {
        return code;
    }
    if (!journal_is_file(name)) {
        return SQLITE_CANTOPEN;
    }
    sqlite3_file *journal = calloc(1, (size_t)base->szOsFile);
    if (!journal) {
        return SQLITE_NOMEM;
    }
    int out = 0, is_found = 0;
    unsigned kept = 0;
    code = base->xOpen(base, name, journal, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_JOURNAL, &out);
    if (code == SQLITE_OK) {
        code = find_counter(journal, &is_found, &kept);
    }
    if (journal->pMethods) {
        journal->pMethods->xClose(journal);
    }
    free(journal);
    if (code != SQLITE_OK || !is_found) {
        return code;
    }
    return counter == kept || counter == kept + 1 ? SQLITE_OK : CSQLITE_STRANGE_JOURNAL;
}
