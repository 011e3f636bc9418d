//! What all pictures share: a sheet of their own, so that they can be read on light and on dark pages.

/// Of words and axes.
pub(crate) const INK: &str = "#1c2733";
/// Of what is there to be measured against.
pub(crate) const PALE: &str = "#c7cdd4";
/// Of the proxy.
pub(crate) const PROXY: &str = "#d1603d";
/// Of another than the proxy.
pub(crate) const OTHER: &str = "#7f9bb3";

/// A whole picture with a title.
pub(crate) fn sheet(title: &str, width: f64, height: f64, drawn: &str) -> String {
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"16\" font-weight=\"600\" fill=\"{INK}\">{title}</text>\n{drawn}</svg>\n"
    )
}

/// Text that is no markup.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
