//! A video input as canvases see it: its newest picture in every size that some region wants.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gstreamer as gst;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;

use super::MAX_PIXELS;
use crate::canvas::{Fitting, I420, Plane, Pool, Size, Still, Want, fit};
use crate::sync::Average;

/// Sizes in which one input is scaled at the same time. A region beyond gets nothing: views that
/// show one input in more sizes are no use to anybody.
const MAX_WANTS: usize = 8;

type Frame = gst_video::VideoFrame<gst_video::video_frame::Readable>;

/// A video input. Drawing takes pictures out, decoding puts them in; neither waits for the other
/// longer than it takes to exchange a pointer.
pub(crate) struct Face {
    number: u32,
    label: Option<String>,
    active: AtomicBool,
    tiles: Mutex<Tiles>,
    scaling: Mutex<Scaling>,
}

/// What who draws needs.
#[derive(Default)]
struct Tiles {
    tiles: Vec<(Want, Arc<dyn Still>)>,
    /// When the picture came that was not drawn yet.
    undrawn: Option<Duration>,
    /// How long after their arrival pictures are drawn.
    wait: Average,
}

/// What only who scales needs.
#[derive(Default)]
struct Scaling {
    wants: Vec<Want>,
    newest: Option<Arc<Frame>>,
    scalers: Vec<Scaler>,
    pool: Pool,
}

/// Scales frames of one kind to one size.
struct Scaler {
    want: Want,
    from: gst_video::VideoInfo,
    to: gst_video::VideoInfo,
    /// `None` when the frame is as it should be.
    converter: Option<gst_video::VideoConverter>,
}

/// A frame that is held readable.
struct Tile(Arc<Frame>);

impl Still for Tile {
    fn i420(&self) -> I420<'_> {
        let planes: [Plane<'_>; 3] = std::array::from_fn(|plane| {
            let index = u32::try_from(plane).expect("three planes");
            let samples = self.0.plane_data(index).unwrap_or_default();
            let stride = usize::try_from(self.0.plane_stride()[plane]).unwrap_or_default();
            Plane { samples, stride }
        });
        I420 { size: Size::new(self.0.width(), self.0.height()), planes }
    }
}

impl std::fmt::Debug for Face {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Face").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Face {
    pub(crate) fn new(number: u32, label: Option<String>) -> Self {
        Self {
            number,
            label,
            active: AtomicBool::new(true),
            tiles: Mutex::default(),
            scaling: Mutex::default(),
        }
    }

    pub(crate) fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    pub(crate) fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    pub(crate) fn set_active(&self, active: bool) {
        self.active.store(active, Ordering::Relaxed);
        if active {
            // What was seen before the pause is not shown again.
            self.forget();
        }
    }

    /// The newest picture for a region, to be drawn at `now`.
    pub(crate) fn draw(&self, want: Want, now: Duration) -> Option<Arc<dyn Still>> {
        let mut tiles = self.tiles();
        if let Some(arrival) = tiles.undrawn.take() {
            let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or_default();
            tiles.wait.add(micros(now) - micros(arrival));
        }
        tiles.tiles.iter().find(|(of, _)| *of == want).map(|(_, tile)| Arc::clone(tile))
    }

    /// Whether there is a picture for a region.
    pub(crate) fn has(&self, want: Want) -> bool {
        self.tiles().tiles.iter().any(|(of, _)| *of == want)
    }

    /// How long after their arrival pictures are drawn, on average, in microseconds.
    pub(crate) fn wait_us(&self) -> Option<i64> {
        self.tiles().wait.get()
    }

    /// Starts that average anew.
    pub(crate) fn forget_wait(&self) {
        self.tiles().wait.clear();
    }

    /// Says in which sizes the input is wanted. They are there at once when the input has a picture.
    pub(crate) fn set_wants(&self, mut wants: Vec<Want>) {
        if wants.len() > MAX_WANTS {
            tracing::warn!(input = self.number, "an input is wanted in too many sizes");
            wants.truncate(MAX_WANTS);
        }
        let mut scaling = self.scaling();
        if scaling.wants == wants {
            return;
        }
        scaling.scalers.retain(|scaler| wants.contains(&scaler.want));
        scaling.wants = wants;
        if let Some(newest) = scaling.newest.clone() {
            let tiles = scaling.scale(&newest);
            self.tiles().tiles = tiles;
        }
    }

    /// Takes a decoded picture.
    pub(crate) fn show(&self, sample: &gst::Sample) {
        let info = sample.caps().and_then(|caps| gst_video::VideoInfo::from_caps(caps).ok());
        let (Some(info), Some(buffer)) = (info, sample.buffer_owned()) else { return };
        let pixels = u64::from(info.width()) * u64::from(info.height());
        if info.width() < 2 || info.height() < 2 || pixels > MAX_PIXELS {
            return;
        }
        let arrival = buffer.pts().map(Duration::from);
        let Ok(frame) = Frame::from_buffer_readable(buffer, &info) else { return };
        let frame = Arc::new(frame);
        let mut scaling = self.scaling();
        let tiles = scaling.scale(&frame);
        scaling.newest = Some(frame);
        // Under the lock of `scaling`, so that an older picture never replaces a newer one.
        let mut shown = self.tiles();
        shown.tiles = tiles;
        shown.undrawn = arrival;
    }

    /// Drops what was shown.
    pub(crate) fn forget(&self) {
        let mut scaling = self.scaling();
        scaling.newest = None;
        let mut tiles = self.tiles();
        tiles.tiles.clear();
        tiles.undrawn = None;
    }

    fn tiles(&self) -> MutexGuard<'_, Tiles> {
        self.tiles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn scaling(&self) -> MutexGuard<'_, Scaling> {
        self.scaling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scaling {
    fn scale(&mut self, frame: &Arc<Frame>) -> Vec<(Want, Arc<dyn Still>)> {
        let Self { wants, scalers, pool, .. } = self;
        let scaled = |want: &Want| -> Option<(Want, Arc<dyn Still>)> {
            let at = scalers.iter().position(|scaler| scaler.want == *want);
            let current = at.filter(|at| scalers[*at].from == *frame.info());
            let at = match (current, at) {
                (Some(at), _) => at,
                (None, at) => {
                    let scaler = Scaler::new(*want, frame.info())
                        .inspect_err(|error| tracing::debug!(%error, ?want, "cannot be scaled"))
                        .ok()?;
                    match at {
                        Some(at) => {
                            scalers[at] = scaler;
                            at
                        }
                        None => {
                            scalers.push(scaler);
                            scalers.len() - 1
                        }
                    }
                }
            };
            let frame = scalers[at].scale(frame, pool)?;
            Some((*want, Arc::new(Tile(frame))))
        };
        wants.iter().filter_map(scaled).collect()
    }
}

impl Scaler {
    fn new(want: Want, from: &gst_video::VideoInfo) -> Result<Self, gst::glib::BoolError> {
        let par = from.par();
        let side = |n: i32| u32::try_from(n).unwrap_or(1).clamp(1, 1000);
        let size = Size::new(from.width(), from.height());
        let Fitting { crop: (left, top, part), size: to_size } =
            fit(size, (side(par.numer()), side(par.denom())), want.size, want.fit);
        // One matrix throughout: what decoders say of it is a guess by the picture's size, while
        // WebRTC's codecs carry BT.601. The range is what the bitstream says.
        let matrix = |range| {
            gst_video::VideoColorimetry::new(
                range,
                gst_video::VideoColorMatrix::Bt601,
                gst_video::VideoTransferFunction::Bt601,
                gst_video::VideoColorPrimaries::Smpte170m,
            )
        };
        let limited = gst_video::VideoColorRange::Range16_235;
        let full = gst_video::VideoColorRange::Range0_255;
        let range = if from.colorimetry().range() == full { full } else { limited };
        let to = gst_video::VideoInfo::builder(
            gst_video::VideoFormat::I420,
            to_size.width,
            to_size.height,
        )
        .colorimetry(&matrix(limited))
        .build()?;
        let whole = part == size;
        if whole
            && to_size == size
            && from.format() == gst_video::VideoFormat::I420
            && range == limited
        {
            return Ok(Self { want, from: from.clone(), to, converter: None });
        }
        let as_read = gst_video::VideoInfo::builder(from.format(), from.width(), from.height())
            .colorimetry(&matrix(range))
            .build()?;
        let signed = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let mut config = gst_video::VideoConverterConfig::new();
        config.set_resampler_method(gst_video::VideoResamplerMethod::Linear);
        config.set_resampler_taps(2);
        config.set_dither_method(gst_video::VideoDitherMethod::None);
        config.set_threads(1);
        config.set_src_x(signed(left));
        config.set_src_y(signed(top));
        config.set_src_width(Some(signed(part.width)));
        config.set_src_height(Some(signed(part.height)));
        let converter = gst_video::VideoConverter::new(&as_read, &to, Some(config))?;
        Ok(Self { want, from: from.clone(), to, converter: Some(converter) })
    }

    fn scale(&self, frame: &Arc<Frame>, pool: &Pool) -> Option<Arc<Frame>> {
        let Some(converter) = &self.converter else { return Some(Arc::clone(frame)) };
        let memory = gst::Buffer::from_mut_slice(pool.take(self.to.size()));
        let mut to = gst_video::VideoFrame::from_buffer_writable(memory, &self.to).ok()?;
        converter.frame(frame, &mut to);
        Frame::from_buffer_readable(to.into_buffer(), &self.to).ok().map(Arc::new)
    }
}
