#ifndef JOURNAL_FIT_H
#define JOURNAL_FIT_H

#include <sqlite3.h>

// Whether the rollback journal `name` is that of the last transaction of a database, as far as the two tell: the first page that it
// keeps has the database's change counter, or the one before. A journal of an earlier transaction, which somebody has put back
// beside the file, would undo all that was committed since.
//
// `counter` is the database's change counter. Returns SQLITE_OK when the journal fits, does not keep the first page, or is not
// there; CSQLITE_STRANGE_JOURNAL; another result code when it cannot be read.
int journal_fits(sqlite3_vfs *base, const char *name, unsigned counter);

// Whether a journal may be opened: there is a plain file, or nothing. To open a FIFO would wait for ever.
int journal_is_file(const char *name);

#endif
