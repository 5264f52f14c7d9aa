//! Plots of the report, as SVG.

use std::path::Path;

use plotters::prelude::*;
use serde::{Deserialize, Serialize};

const SIZE: (u32, u32) = (760, 360);

/// Lines over a common axis.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plot {
    /// Its file's name.
    pub(crate) name: String,
    pub(crate) title: String,
    /// What the axes show, with their units.
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) lines: Vec<Line>,
}

/// One line of a plot.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Plot {
    /// Draws it into a file.
    pub(crate) fn draw(&self, path: &Path) {
        let area = SVGBackend::new(path, SIZE).into_drawing_area();
        self.draw_on(&area).expect("a plot can be drawn");
    }

    fn draw_on(
        &self,
        area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        area.fill(&WHITE)?;
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let most = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(0.0, f64::max);
        let (right, top) = (most(|point| point.0) * 1.05, most(|point| point.1) * 1.15);
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..right, 0.0..top)?;
        chart.configure_mesh().x_desc(&self.x).y_desc(&self.y).light_line_style(WHITE).draw()?;
        for (nth, line) in self.lines.iter().enumerate() {
            let color = Palette99::pick(nth).to_rgba();
            chart
                .draw_series(
                    LineSeries::new(line.points.iter().copied(), color.stroke_width(2)).point_size(3),
                )?
                .label(&line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
        area.present()?;
        Ok(())
    }
}
