use super::*;

/// Writes a template as its regions' `id: left top width height`.
fn written(template: &Template) -> String {
    let regions = template.iter().map(|region| match region.shape {
        Shape::Rectangle { left, top, width, height } => {
            format!("{}: {left} {top} {width} {height}", region.id)
        }
        Shape::Circle { center_w, center_h, radius } => {
            format!("{}: circle {center_w} {center_h} {radius}", region.id)
        }
    });
    regions.collect::<Vec<_>>().join(", ")
}

fn templates(base: TemplateBase, max_input: u32) -> Vec<Template> {
    LayoutSettings { base, custom: Vec::new() }.templates(max_input)
}

fn sizes(base: TemplateBase, max_input: u32) -> Vec<usize> {
    templates(base, max_input).iter().map(|template| template.len()).collect()
}

fn of_size(base: TemplateBase, size: usize) -> String {
    let templates = templates(base, 25);
    written(templates.iter().find(|it| it.len() == size).expect("such a template"))
}

/// Square regions as `left top`, with ids from 1 and one size behind the first.
fn squares(large: (&str, &str), small: &str, places: &[(&str, &str)]) -> String {
    let (zero, size) = large;
    let first = format!("1: {zero} {zero} {size} {size}");
    let rest = places.iter().enumerate();
    let rest = rest.map(|(at, (left, top))| format!("{}: {left} {top} {small} {small}", at + 2));
    std::iter::once(first).chain(rest).collect::<Vec<_>>().join(", ")
}

#[test]
fn fluid_is_square_grids() {
    use TemplateBase::Fluid;
    for (max_input, expected) in [
        (1, vec![1]),
        (2, vec![1, 4]),
        (4, vec![1, 4]),
        (5, vec![1, 4, 9]),
        (9, vec![1, 4, 9]),
        (16, vec![1, 4, 9, 16]),
        (17, vec![1, 4, 9, 16, 25]),
        (256, (1..=16).map(|side| side * side).collect()),
    ] {
        assert_eq!(sizes(Fluid, max_input), expected, "for {max_input}");
    }
    assert_eq!(of_size(Fluid, 1), "1: 0/1 0/1 1/1 1/1");
    assert_eq!(
        of_size(Fluid, 4),
        "1: 0/2 0/2 1/2 1/2, 2: 1/2 0/2 1/2 1/2, 3: 0/2 1/2 1/2 1/2, 4: 1/2 1/2 1/2 1/2"
    );
    assert!(of_size(Fluid, 9).ends_with("8: 1/3 2/3 1/3 1/3, 9: 2/3 2/3 1/3 1/3"));
    assert!(of_size(Fluid, 16).contains("7: 2/4 1/4 1/4 1/4, 8: 3/4 1/4 1/4 1/4"));
    assert!(of_size(Fluid, 25).contains("25: 4/5 4/5 1/5 1/5"));
}

#[test]
fn lecture_grows_with_the_number_of_inputs() {
    use TemplateBase::Lecture;
    for (max_inputs, expected) in [
        (1..=6, vec![1, 6]),
        (7..=8, vec![1, 6, 8]),
        (9..=10, vec![1, 6, 8, 10]),
        (11..=12, vec![1, 6, 8, 10, 12]),
        (13..=14, vec![1, 6, 8, 10, 12, 14]),
        (15..=17, vec![1, 6, 8, 10, 12, 13, 14, 17]),
        (18..=21, vec![1, 6, 8, 10, 12, 13, 14, 17, 21]),
        (22..=256, vec![1, 6, 8, 10, 12, 13, 14, 17, 21, 25]),
    ] {
        for max_input in max_inputs {
            assert_eq!(sizes(Lecture, max_input), expected, "for {max_input}");
        }
    }
}

#[test]
fn lecture_puts_small_regions_around_a_large_one() {
    use TemplateBase::Lecture;
    assert_eq!(of_size(Lecture, 1), "1: 0/1 0/1 1/1 1/1");
    let six = [("2/3", "0/1"), ("2/3", "1/3"), ("2/3", "2/3"), ("1/3", "2/3"), ("0/1", "2/3")];
    assert_eq!(of_size(Lecture, 6), squares(("0/1", "2/3"), "1/3", &six));
    let eight = [
        ("3/4", "0/4"),
        ("3/4", "1/4"),
        ("3/4", "2/4"),
        ("3/4", "3/4"),
        ("2/4", "3/4"),
        ("1/4", "3/4"),
        ("0/4", "3/4"),
    ];
    assert_eq!(of_size(Lecture, 8), squares(("0/1", "3/4"), "1/4", &eight));
    let thirteen = [
        ("2/4", "0/4"),
        ("2/4", "1/4"),
        ("2/4", "2/4"),
        ("1/4", "2/4"),
        ("0/4", "2/4"),
        ("3/4", "0/4"),
        ("3/4", "1/4"),
        ("3/4", "2/4"),
        ("3/4", "3/4"),
        ("2/4", "3/4"),
        ("1/4", "3/4"),
        ("0/4", "3/4"),
    ];
    assert_eq!(of_size(Lecture, 13), squares(("0/1", "2/4"), "1/4", &thirteen));
    assert!(of_size(Lecture, 25).starts_with("1: 0/1 0/1 5/7 5/7, 2: 5/7 0/7 1/7 1/7"));
    assert!(of_size(Lecture, 25).ends_with("25: 0/7 6/7 1/7 1/7"));
}

/// The cells that a template's regions cover, of a square grid.
fn covered(template: &Template, side: u32) -> Vec<(u32, u32)> {
    let mut cells = Vec::new();
    for region in template.iter() {
        let Shape::Rectangle { left, top, width, height } = region.shape else { panic!("square") };
        for x in left.of(side)..left.of(side) + width.of(side) {
            cells.extend((top.of(side)..top.of(side) + height.of(side)).map(|y| (x, y)));
        }
    }
    cells.sort_unstable();
    cells
}

#[test]
fn every_template_of_the_families_fills_the_picture_without_overlap() {
    for base in [TemplateBase::Fluid, TemplateBase::Lecture] {
        for template in templates(base, 256) {
            let below = match template.last().expect("regions").shape {
                Shape::Rectangle { width, .. } => width.denominator(),
                Shape::Circle { .. } => panic!("squares only"),
            };
            let all: Vec<_> = (0..below).flat_map(|x| (0..below).map(move |y| (x, y))).collect();
            assert_eq!(covered(&template, below), all, "{}", written(&template));
        }
    }
}

fn circles(ids: &[&str]) -> Template {
    let half = Fraction::new(1, 2).expect("a share");
    let shape = Shape::Circle { center_w: half, center_h: half, radius: half };
    ids.iter().map(|id| Region { id: (*id).into(), shape }).collect()
}

#[test]
fn a_custom_template_replaces_one_of_its_size_or_comes_between() {
    let custom = vec![circles(&["a", "b", "c", "d"]), circles(&["x", "y"])];
    let fluid = LayoutSettings { base: TemplateBase::Fluid, custom: custom.clone() };
    let templates = fluid.templates(9);
    assert_eq!(templates.iter().map(|it| it.len()).collect::<Vec<_>>(), [1, 2, 4, 9]);
    assert_eq!(templates[2], custom[0]);
    let void = LayoutSettings { base: TemplateBase::Void, custom };
    assert_eq!(void.templates(9).iter().map(|it| it.len()).collect::<Vec<_>>(), [2, 4]);
}

#[test]
fn a_custom_template_that_is_none_is_left_out() {
    let many: Vec<String> = (0..10_000).map(|id| id.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let long = "x".repeat(65);
    let custom = vec![circles(&[]), circles(&["a", "a"]), circles(&many), circles(&[&long])];
    let settings = LayoutSettings { base: TemplateBase::Void, custom };
    assert_eq!(settings.templates(16), Vec::<Template>::new());
}
