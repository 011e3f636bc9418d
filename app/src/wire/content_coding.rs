//! Unpacks a copy of a compressed body while the body itself passes as it is.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::{MultiGzDecoder, ZlibDecoder};

/// What is unpacked at a time.
const PIECE: usize = 4 << 10;
/// Binary logarithm of how far back Zstandard may refer: 8 MiB, which RFC 9659 sets as the limit for HTTP.
const ZSTD_WINDOW: u32 = 23;

/// A decoder of one body, in which the sink gets what was packed. Memory: the window of the coding, from 32 KiB with gzip
/// to 16 MiB at the worst with brotli.
pub enum Decoder<W: Write> {
    /// Nothing was packed.
    Identity(W),
    /// `gzip`
    Gzip(Box<MultiGzDecoder<W>>),
    /// `deflate`, which is the format of zlib
    Deflate(Box<ZlibDecoder<W>>),
    /// `br`
    Brotli(Box<DecompressorWriter<W>>),
    /// `zstd`
    Zstd(Box<zstd::stream::write::Decoder<'static, W>>),
}

impl<W: Write> Decoder<W> {
    /// A decoder for a value of `content-encoding`; `None` for codings that are unknown, or several at once.
    pub fn new(coding: &str, sink: W) -> Option<Self> {
        match coding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Identity(sink)),
            "gzip" | "x-gzip" => Some(Self::Gzip(Box::new(MultiGzDecoder::new(sink)))),
            "deflate" => Some(Self::Deflate(Box::new(ZlibDecoder::new(sink)))),
            "br" => Some(Self::Brotli(Box::new(DecompressorWriter::new(sink, PIECE)))),
            "zstd" => {
                let mut decoder = zstd::stream::write::Decoder::new(sink).ok()?;
                decoder.window_log_max(ZSTD_WINDOW).ok()?;
                Some(Self::Zstd(Box::new(decoder)))
            }
            _ => None,
        }
    }

    /// Takes in the next piece; all that it unpacks to has reached the sink afterwards.
    ///
    /// # Errors
    /// When this is not what it is said to be, or the sink refuses. Nothing can be unpacked from there.
    pub fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        let writer: &mut dyn Write = match self {
            Self::Identity(sink) => sink,
            Self::Gzip(decoder) => decoder.as_mut(),
            Self::Deflate(decoder) => decoder.as_mut(),
            Self::Brotli(decoder) => decoder.as_mut(),
            Self::Zstd(decoder) => decoder.as_mut(),
        };
        writer.write_all(piece)?;
        writer.flush()
    }

    /// The sink.
    pub fn sink(&mut self) -> &mut W {
        match self {
            Self::Identity(sink) => sink,
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Deflate(decoder) => decoder.get_mut(),
            Self::Brotli(decoder) => decoder.get_mut(),
            Self::Zstd(decoder) => decoder.get_mut(),
        }
    }
}
