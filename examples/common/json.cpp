#include "json.hpp"

#include <nlohmann/json.hpp>
#include <utility>

Json::Json() : place_(std::make_shared<nlohmann::json>()) {}

Json::Json(std::shared_ptr<nlohmann::json> place) : place_(std::move(place)) {}

// It shares in the ownership of the whole document. Objects keep their members where they are.
Json Json::operator[](const std::string& name) const {
  return Json(std::shared_ptr<nlohmann::json>(place_, &(*place_)[name]));
}

void Json::operator=(bool value) const { *place_ = value; }
void Json::operator=(std::int64_t value) const { *place_ = value; }
void Json::operator=(double value) const { *place_ = value; }
void Json::operator=(const std::string& value) const { *place_ = value; }
void Json::operator=(const std::vector<double>& array) const { *place_ = array; }
void Json::operator=(const std::vector<std::vector<double>>& rows) const { *place_ = rows; }

void Json::push_back(double value) const { place_->push_back(value); }
void Json::push_back(const Json& document) const { place_->push_back(*document.place_); }

std::string Json::text() const { return place_->dump(2); }
