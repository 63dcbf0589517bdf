#ifndef CBUILD_H
#define CBUILD_H

// The commit that this program was built from, with "-dirty" when there were uncommitted changes; "unknown" outside git.
const char *cbuild_commit(void);

// The release, as Package.swift names it.
const char *cbuild_version(void);

#endif
