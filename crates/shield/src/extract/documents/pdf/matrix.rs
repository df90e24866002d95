//! Where on a page something is.

/// Turns, stretches and moves: `x' = ax + cy + e`, `y' = bx + dy + f`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix([f32; 6]);

impl Default for Matrix {
    fn default() -> Self {
        Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    }
}

impl Matrix {
    /// Of the last six numbers before an operator.
    pub(super) fn of(numbers: &[f32]) -> Self {
        numbers
            .last_chunk()
            .map_or_else(Self::default, |it| Self(*it))
    }

    pub(super) const fn moved(x: f32, y: f32) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First this, then the other.
    pub(super) fn then(self, other: Self) -> Self {
        let it = other.0;
        let x = |x: f32, y: f32| x * it[0] + y * it[2];
        let y = |x: f32, y: f32| x * it[1] + y * it[3];
        let own = self.0;
        Self([
            x(own[0], own[1]),
            y(own[0], own[1]),
            x(own[2], own[3]),
            y(own[2], own[3]),
            x(own[4], own[5]) + it[4],
            y(own[4], own[5]) + it[5],
        ])
    }

    /// Where what is at the beginning comes to be.
    pub(super) fn at(self) -> [f32; 2] {
        [self.0[4], self.0[5]]
    }

    /// How tall what is one high becomes.
    pub(super) fn height(self) -> f32 {
        self.0[2].hypot(self.0[3])
    }

    /// The corners of what is from here to there.
    pub(super) fn corners(self, [x, y]: [f32; 2], [width, height]: [f32; 2]) -> [[f32; 2]; 2] {
        let one = Self::moved(x, y).then(self).at();
        let other = Self::moved(x + width, y + height).then(self).at();
        [
            [one[0].min(other[0]), one[1].min(other[1])],
            [one[0].max(other[0]), one[1].max(other[1])],
        ]
    }
}

/// Whether a place is in there.
pub(super) fn is_in(place: [f32; 2], [least, most]: [[f32; 2]; 2]) -> bool {
    (least[0]..=most[0]).contains(&place[0]) && (least[1]..=most[1]).contains(&place[1])
}
