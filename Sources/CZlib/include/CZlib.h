#ifndef CZLIB_H
#define CZLIB_H

#include <zlib.h>

// deflateInit and inflateInit are macros, which Swift does not import. Both set up `stream` for the zlib format.
int czlib_deflate_init(z_stream *stream, int level);
int czlib_inflate_init(z_stream *stream);

#endif
