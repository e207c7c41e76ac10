//! Names, rendered once into masks.

use std::collections::HashMap;
use std::sync::Arc;

use ab_glyph::{Font, FontArc, InvalidFont, ScaleFont, point};

use super::{Mask, Size};

/// Latin, Greek and Cyrillic letters of DejaVu Sans; `--font` gives another one.
const BUILT_IN: &[u8] = include_bytes!("../../assets/DejaVuSans.ttf");

/// The longest text that is drawn; more never fits.
const MAX_CHARS: usize = 64;

/// Texts kept. Beyond it, all are rendered anew.
const MAX_TEXTS: usize = 512;

/// Renders texts and remembers them.
pub struct Texts {
    font: FontArc,
    rendered: HashMap<(String, u32, u32), Arc<Mask>>,
}

/// Reads a font file, or the built-in one.
///
/// # Errors
/// When the bytes are no font.
pub fn font(file: Option<Vec<u8>>) -> Result<FontArc, InvalidFont> {
    match file {
        Some(bytes) => FontArc::try_from_vec(bytes),
        None => FontArc::try_from_slice(BUILT_IN),
    }
}

impl Texts {
    /// A renderer that uses `font`.
    pub fn new(font: FontArc) -> Self {
        Self { font, rendered: HashMap::new() }
    }

    /// A text in letters of `pixels` height, cut off at `width` pixels; `None` when nothing of it
    /// is visible.
    pub fn get(&mut self, text: &str, pixels: u32, width: u32) -> Option<Arc<Mask>> {
        let visible: String =
            text.chars().filter(|c| !c.is_control()).take(MAX_CHARS).collect::<String>();
        let visible = visible.trim();
        if visible.is_empty() || pixels == 0 || width < 2 {
            return None;
        }
        let key = (visible.to_owned(), pixels, width);
        if let Some(mask) = self.rendered.get(&key) {
            return Some(Arc::clone(mask));
        }
        if self.rendered.len() >= MAX_TEXTS {
            self.rendered.clear();
        }
        let mask = Arc::new(self.render(visible, pixels, width));
        self.rendered.insert(key, Arc::clone(&mask));
        Some(mask)
    }

    fn render(&self, text: &str, pixels: u32, max_width: u32) -> Mask {
        let font = self.font.as_scaled(pixels as f32);
        let mut glyphs = Vec::new();
        let mut x = 0.0;
        let mut last = None;
        for letter in text.chars() {
            let id = font.glyph_id(letter);
            x += last.map_or(0.0, |last| font.kern(last, id));
            let advance = font.h_advance(id);
            if x + advance > max_width as f32 {
                break;
            }
            glyphs.push(id.with_scale_and_position(font.scale(), point(x, font.ascent())));
            x += advance;
            last = Some(id);
        }
        let width = (x.ceil() as u32).clamp(2, max_width).next_multiple_of(2);
        let height = (font.height().ceil() as u32).max(2).next_multiple_of(2);
        let mut alpha = vec![0; width as usize * height as usize];
        for glyph in glyphs {
            let Some(outline) = self.font.outline_glyph(glyph) else { continue };
            let bounds = outline.px_bounds();
            outline.draw(|x, y, coverage| {
                let (x, y) =
                    (bounds.min.x as i64 + i64::from(x), bounds.min.y as i64 + i64::from(y));
                if (0..i64::from(width)).contains(&x) && (0..i64::from(height)).contains(&y) {
                    let at = y as usize * width as usize + x as usize;
                    let covered = (coverage.clamp(0.0, 1.0) * 255.0) as u8;
                    alpha[at] = covered.max(alpha[at]);
                }
            });
        }
        Mask { size: Size::new(width, height), alpha }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_rendered_once_and_cut_off() {
        let mut texts = Texts::new(font(None).expect("the built-in font"));
        let mask = texts.get("Zoë Ωmega Жук", 24, 1000).expect("visible");
        assert!(mask.alpha.iter().filter(|a| **a > 200).count() > 100);
        let again = texts.get("Zoë Ωmega Жук", 24, 1000).expect("visible");
        assert!(Arc::ptr_eq(&mask, &again));
        let short = texts.get("Zoë Ωmega Жук", 24, 60).expect("visible");
        assert!(short.size.width <= 60 && short.size.width < mask.size.width);
        assert_eq!(texts.get(" \u{7} \n", 24, 1000), None);
    }

    #[test]
    fn what_is_no_font_is_refused() {
        assert!(font(Some(b"not a font".to_vec())).is_err());
    }
}
