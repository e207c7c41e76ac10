//! Pictures that cost a codec about what a person before a wall costs it.

/// A textured wall that stands still, a textured head that moves, and a sensor's noise.
pub(super) struct TalkingHead {
    width: usize,
    height: usize,
    wall: Vec<u8>,
    noise: Noise,
    /// Makes each one move in its own way.
    phase: f64,
}

/// Reproducible noise.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u8 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as u8
    }
}

impl TalkingHead {
    pub(super) fn new(width: usize, height: usize, seed: u32) -> Self {
        let mut noise = Noise(u64::from(seed) + 1);
        let phase = f64::from(seed) * 1.7;
        let wall = (0..width * height)
            .map(|at| {
                let (x, y) = ((at % width) as f64, (at / width) as f64);
                let waves = (x / 23.0 + phase).sin() * 18.0 + (y / 31.0 + x / 57.0).cos() * 22.0;
                level(120.0 + waves + f64::from(noise.next() % 16))
            })
            .collect();
        Self { width, height, wall, noise, phase }
    }

    /// The picture at a time in seconds, in I420.
    pub(super) fn picture(&mut self, seconds: f64) -> Vec<u8> {
        let (width, height) = (self.width, self.height);
        let turn = seconds * std::f64::consts::PI + self.phase;
        let across = width as f64 * (0.5 + 0.06 * turn.sin());
        let down = height as f64 * (0.52 + 0.03 * (2.0 * turn).cos());
        let (wide, high) = (width as f64 * 0.16, height as f64 * 0.36);
        let inside =
            |x: f64, y: f64| ((x - across) / wide).powi(2) + ((y - down) / high).powi(2) < 1.0;
        let mut picture = Vec::with_capacity(width * height * 3 / 2);
        for row in 0..height {
            for column in 0..width {
                let (x, y) = (column as f64, row as f64);
                let grain = f64::from(self.noise.next() % 4) - 1.5;
                let still = f64::from(self.wall[row * width + column]);
                let skin =
                    || 165.0 + ((x - across) / 5.0).sin() * 14.0 + ((y - down) / 7.0).cos() * 12.0;
                picture.push(level(grain + if inside(x, y) { skin() } else { still }));
            }
        }
        for (wall, skin) in [(120, 105), (134, 150)] {
            for row in (0..height).step_by(2) {
                let places = (0..width).step_by(2);
                picture
                    .extend(places.map(|x| if inside(x as f64, row as f64) { skin } else { wall }));
            }
        }
        picture
    }
}

fn level(value: f64) -> u8 {
    value.clamp(16.0, 235.0) as u8
}
