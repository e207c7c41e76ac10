//! Pictures of I420 samples: BT.601, limited range, as WebRTC's codecs carry them.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Outline, Size};

/// A colour in BT.601's limited range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// Luma, blue difference, red difference.
    pub yuv: [u8; 3],
}

impl Colour {
    /// Converts red, green and blue.
    pub fn from_rgb([r, g, b]: [u8; 3]) -> Self {
        let (r, g, b) = (f64::from(r) / 255.0, f64::from(g) / 255.0, f64::from(b) / 255.0);
        let luma = 0.299 * r + 0.587 * g + 0.114 * b;
        // `as` saturates, and the values are within 16..=240 anyway.
        let sample = |value: f64| value.round() as u8;
        Self {
            yuv: [
                sample(16.0 + 219.0 * luma),
                sample(128.0 + 224.0 * (b - luma) / 1.772),
                sample(128.0 + 224.0 * (r - luma) / 1.402),
            ],
        }
    }
}

/// One plane's samples.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// Row after row.
    pub samples: &'a [u8],
    /// Samples from one row to the next.
    pub stride: usize,
}

/// A picture that somebody else owns.
#[derive(Debug, Clone, Copy)]
pub struct I420<'a> {
    /// Its size.
    pub size: Size,
    /// Luma, blue difference, red difference.
    pub planes: [Plane<'a>; 3],
}

/// Something that holds a picture still while it is drawn.
pub trait Still: Send + Sync {
    /// The picture.
    fn i420(&self) -> I420<'_>;
}

/// Where picture memory comes from and returns to, so that a view's memory is touched once, not
/// thirty times a second.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    free: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// Free pictures kept by a pool; more than are in flight between a canvas and its encoders.
const POOLED: usize = 6;

impl Pool {
    /// Memory of exactly `bytes`, holding anything.
    pub fn take(&self, bytes: usize) -> Pooled {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut memory = free.unwrap_or_default();
        memory.resize(bytes, 0);
        Pooled { memory, pool: self.clone() }
    }
}

/// Memory that returns to its pool when dropped.
#[derive(Debug)]
pub struct Pooled {
    memory: Vec<u8>,
    pool: Pool,
}

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        &self.memory
    }
}

impl AsMut<[u8]> for Pooled {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.memory
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let mut free = self.pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < POOLED {
            free.push(std::mem::take(&mut self.memory));
        }
    }
}

/// A picture of our own, laid out as GStreamer lays out I420 by default.
#[derive(Debug)]
pub struct Picture {
    size: Size,
    memory: Pooled,
}

/// Offset and stride of each plane, and the bytes of all three.
fn layout(size: Size) -> ([(usize, usize); 3], usize) {
    let (width, height) = (size.width as usize, size.height as usize);
    let luma = width.next_multiple_of(4);
    let chroma = width.div_ceil(2).next_multiple_of(4);
    let blue = luma * height.next_multiple_of(2);
    let red = blue + chroma * height.div_ceil(2);
    ([(0, luma), (blue, chroma), (red, chroma)], red + chroma * height.div_ceil(2))
}

/// The samples of a plane per line and the lines of it.
fn plane_size(size: Size, plane: usize) -> (usize, usize) {
    let (width, height) = (size.width as usize, size.height as usize);
    if plane == 0 { (width, height) } else { (width.div_ceil(2), height.div_ceil(2)) }
}

impl Picture {
    /// A picture of one colour.
    pub fn new(size: Size, colour: Colour, pool: &Pool) -> Self {
        let (planes, bytes) = layout(size);
        let mut memory = pool.take(bytes);
        let samples = memory.as_mut();
        samples[..planes[1].0].fill(colour.yuv[0]);
        samples[planes[1].0..planes[2].0].fill(colour.yuv[1]);
        samples[planes[2].0..].fill(colour.yuv[2]);
        Self { size, memory }
    }

    /// Its size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Luma and chroma at a pixel of the picture.
    pub fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let (planes, _) = layout(self.size);
        let bytes = self.memory.as_ref();
        std::array::from_fn(|plane| {
            let (offset, stride) = planes[plane];
            let shift = u32::from(plane > 0);
            bytes[offset + (y >> shift) as usize * stride + (x >> shift) as usize]
        })
    }

    /// The same samples, laid out the same, in the full range that JPEG files use.
    pub fn full_range(&self) -> Vec<u8> {
        let table = |low: i32, span: i32, center: i32| -> [u8; 256] {
            std::array::from_fn(|sample| {
                let away = i32::try_from(sample).expect("a byte") - low - center;
                (center.min(128) + (away * 255 + (span / 2) * away.signum()) / span).clamp(0, 255)
                    as u8
            })
        };
        let (luma, chroma) = (table(16, 219, 0), table(0, 224, 128));
        let blue = layout(self.size).0[1].0;
        let (first, rest) = self.memory.as_ref().split_at(blue);
        let first = first.iter().map(|sample| luma[usize::from(*sample)]);
        first.chain(rest.iter().map(|sample| chroma[usize::from(*sample)])).collect()
    }

    /// Draws something of one colour, where it is within `clip`.
    pub fn fill(&mut self, outline: &Outline, clip: &Outline, colour: Colour) {
        self.spans(outline, clip, |plane, _, _, span| span.fill(colour.yuv[plane]));
    }

    /// Draws another picture whose left upper corner comes to an even place, where it is within
    /// `clip`.
    pub fn draw(&mut self, other: &I420<'_>, left: i32, top: i32, clip: &Outline) {
        let area = super::Area { left, top, size: even(other.size) };
        self.spans(&Outline::Rectangle(area), clip, |plane, row, column, span| {
            let shift = u8::from(plane > 0);
            let Plane { samples, stride } = other.planes[plane];
            let row = (row - i64::from(top >> shift)) as usize;
            let start = row * stride + (column - i64::from(left >> shift)) as usize;
            span.copy_from_slice(&samples[start..start + span.len()]);
        });
    }

    /// Blends a colour by the alpha of a mask whose left upper corner comes to an even place,
    /// where it is within `clip`.
    pub fn blend(&mut self, mask: &Mask, left: i32, top: i32, clip: &Outline, colour: Colour) {
        let area = super::Area { left, top, size: even(mask.size) };
        let width = mask.size.width as usize;
        self.spans(&Outline::Rectangle(area), clip, |plane, row, column, span| {
            let scale = if plane == 0 { 1 } else { 2 };
            let row = (row * scale - i64::from(top)) as usize;
            let column = (column * scale - i64::from(left)) as usize;
            let alphas = mask.alpha[row * width + column..].iter().step_by(scale as usize);
            for (sample, alpha) in span.iter_mut().zip(alphas) {
                let (new, alpha) = (u32::from(colour.yuv[plane]), u32::from(*alpha));
                let mixed = (u32::from(*sample) * (255 - alpha) + new * alpha + 127) / 255;
                *sample = mixed.min(255) as u8;
            }
        });
    }

    /// Calls with plane, row, first column and samples of every span that is inside both outlines
    /// and the picture.
    fn spans(
        &mut self,
        outline: &Outline,
        clip: &Outline,
        mut paint: impl FnMut(usize, i64, i64, &mut [u8]),
    ) {
        let (planes, _) = layout(self.size);
        let size = self.size;
        let bytes = self.memory.as_mut();
        for (plane, (offset, stride)) in planes.into_iter().enumerate() {
            let scale = if plane == 0 { 1 } else { 2 };
            let (width, height) = plane_size(size, plane);
            let (rows, clip_rows) = (outline.rows(scale), clip.rows(scale));
            let first = rows.start.max(clip_rows.start).max(0);
            for row in first..rows.end.min(clip_rows.end).min(height as i64) {
                let (a, b) = (outline.chord(row, scale), clip.chord(row, scale));
                let start = a.start.max(b.start).max(0);
                let end = a.end.min(b.end).min(width as i64);
                if start < end {
                    let line = offset + row as usize * stride;
                    let span = &mut bytes[line + start as usize..line + end as usize];
                    paint(plane, row, start, span);
                }
            }
        }
    }
}

/// The even size within a size; a last odd line or column is not shown.
fn even(size: Size) -> Size {
    Size::new(size.width & !1, size.height & !1)
}

impl Still for Picture {
    fn i420(&self) -> I420<'_> {
        let (planes, _) = layout(self.size);
        let bytes = self.memory.as_ref();
        let planes = planes.map(|(offset, stride)| Plane { samples: &bytes[offset..], stride });
        I420 { size: self.size, planes }
    }
}

impl AsRef<[u8]> for Picture {
    fn as_ref(&self) -> &[u8] {
        self.memory.as_ref()
    }
}

/// How much of each pixel something covers, from 0 to 255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Its size; both numbers are even.
    pub size: Size,
    /// Row after row.
    pub alpha: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::Area;

    const RED: Colour = Colour { yuv: [81, 90, 240] };
    const BLUE: Colour = Colour { yuv: [41, 240, 110] };

    #[test]
    fn colours_are_bt601() {
        assert_eq!(Colour::from_rgb([0, 0, 0]).yuv, [16, 128, 128]);
        assert_eq!(Colour::from_rgb([255, 255, 255]).yuv, [235, 128, 128]);
        assert_eq!(Colour::from_rgb([255, 0, 0]), RED);
        assert_eq!(Colour::from_rgb([0, 0, 255]), BLUE);
    }

    #[test]
    fn drawing_is_clipped_to_outline_and_picture() {
        let pool = Pool::default();
        let mut picture = Picture::new(Size::new(64, 48), RED, &pool);
        let tile = Picture::new(Size::new(40, 40), BLUE, &pool);
        let area = Area { left: -10, top: 20, size: Size::new(30, 100) };
        picture.draw(&tile.i420(), -10, 20, &Outline::Rectangle(area));
        for (x, y, colour) in [(0, 20, BLUE), (19, 47, BLUE), (20, 30, RED), (0, 19, RED)] {
            assert_eq!(picture.at(x, y), colour.yuv, "{x},{y}");
        }
        let circle = Outline::Circle { center_x2: 80, center_y2: 40, radius2: 20 };
        picture.fill(&circle, &circle, BLUE);
        assert_eq!(picture.at(40, 20), BLUE.yuv);
        assert_eq!(picture.at(49, 20), BLUE.yuv);
        assert_eq!(picture.at(48, 12), RED.yuv);
    }

    #[test]
    fn masks_blend() {
        let mut picture = Picture::new(Size::new(8, 8), RED, &Pool::default());
        let size = Size::new(4, 2);
        let mask = Mask { size, alpha: vec![255, 255, 0, 0, 255, 255, 128, 128] };
        let everywhere = Outline::Rectangle(Area { left: 0, top: 0, size: Size::new(8, 8) });
        picture.blend(&mask, 2, 2, &everywhere, BLUE);
        assert_eq!(picture.at(2, 2), BLUE.yuv);
        assert_eq!(picture.at(4, 2), RED.yuv);
        assert_eq!(picture.at(4, 3)[0], 61);
    }

    #[test]
    fn jpeg_samples_use_the_full_range() {
        let full = |yuv: [u8; 3]| {
            let picture = Picture::new(Size::new(4, 4), Colour { yuv }, &Pool::default());
            let bytes = picture.full_range();
            [bytes[0], bytes[16], bytes[24]]
        };
        assert_eq!(full([16, 128, 128]), [0, 128, 128]);
        assert_eq!(full([235, 16, 240]), [255, 0, 255]);
        assert_eq!(full([126, 128, 72]), [128, 128, 64]);
    }

    #[test]
    fn memory_is_used_again() {
        let pool = Pool::default();
        let size = Size::new(640, 480);
        let first = Picture::new(size, RED, &pool);
        let address = first.as_ref().as_ptr();
        drop(first);
        assert_eq!(Picture::new(size, BLUE, &pool).as_ref().as_ptr(), address);
    }
}
