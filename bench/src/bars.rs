//! Bars of the report, as SVG.

use std::path::Path;

use plotters::coord::ranged1d::SegmentValue;
use plotters::prelude::*;
use serde::{Deserialize, Serialize};

const WIDTH: u32 = 760;
/// Of one bar with the gap below it, and of title, axis and margins together.
const BAR_HEIGHT: u32 = 30;
const AROUND_HEIGHT: u32 = 110;

/// Bars that lie one below the other, each of pieces that follow one another.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Bars {
    /// Its file's name.
    pub(crate) name: String,
    pub(crate) title: String,
    /// What the axis shows, with its unit.
    pub(crate) x: String,
    /// What the pieces of a bar are.
    pub(crate) pieces: Vec<String>,
    pub(crate) rows: Vec<Bar>,
}

/// One bar: the length of each piece.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) pieces: Vec<f64>,
}

impl Bars {
    /// Draws them into a file.
    pub(crate) fn draw(&self, path: &Path) {
        let height = AROUND_HEIGHT + BAR_HEIGHT * self.rows.len() as u32;
        let area = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
        self.draw_on(&area).expect("bars can be drawn");
    }

    fn draw_on(
        &self,
        area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        area.fill(&WHITE)?;
        let longest = self.rows.iter().map(|bar| bar.pieces.iter().sum()).fold(0.0, f64::max);
        let count = self.rows.len();
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(150)
            .build_cartesian_2d(0.0..longest * 1.1, (0..count).into_segmented())?;
        let name = |row: &SegmentValue<usize>| match row {
            SegmentValue::CenterOf(row) if *row < count => self.rows[count - 1 - row].name.clone(),
            _ => String::new(),
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .x_desc(&self.x)
            .y_labels(count)
            .y_label_formatter(&name)
            .light_line_style(WHITE)
            .draw()?;
        for (piece, label) in self.pieces.iter().enumerate() {
            let color = Palette99::pick(piece).to_rgba();
            let drawn = self.rows.iter().rev().enumerate().map(|(row, bar)| {
                let begin: f64 = bar.pieces[..piece].iter().sum();
                let (from, to) = (SegmentValue::Exact(row), SegmentValue::Exact(row + 1));
                let mut drawn =
                    Rectangle::new([(begin, from), (begin + bar.pieces[piece], to)], color.filled());
                drawn.set_margin(4, 4, 0, 0);
                drawn
            });
            let series = chart.draw_series(drawn)?;
            if self.pieces.len() > 1 {
                series
                    .label(label)
                    .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], color.filled()));
            }
        }
        if self.pieces.len() > 1 {
            chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
        }
        area.present()?;
        Ok(())
    }
}
